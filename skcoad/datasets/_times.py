"""Columns of times: dates, times of day, both, zones, and epochs."""

from __future__ import annotations

import re
from datetime import timezone
from typing import TYPE_CHECKING

import numpy as np

from skcoad._time import in_utc, time_index, zone_name
from skcoad.datasets._fields import place
from skcoad.datasets._numbers import is_missing, is_number
from skcoad.datasets._time_numbers import (
    TimeColumn,
    TimeKind,
    is_serial_date,
    parse_numbers,
)

if TYPE_CHECKING:
    import pandas as pd

_PIVOT = 69  # years of two digits from here on are of the last century, as in POSIX

_CLOCK = r"""
    (?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?
    (?:\s?(?P<half>[AaPp])\.?[Mm]\.?)?
"""
_DATE = r"""
    (?:(?P<year1>\d{4})(?P<mark1>[-/.])(?P<month1>\d{1,2})(?P=mark1)(?P<day1>\d{1,2})
    |(?P<first>\d{1,2})(?P<mark2>[-/.])(?P<second_field>\d{1,2})(?P=mark2)(?P<year2>\d{4}|\d{2})
    |(?P<day3>\d{1,2})[-/.\s](?P<month3>[A-Za-z]{3,9})[-/.,\s]{1,2}(?P<year3>\d{4}|\d{2})
    |(?P<month4>[A-Za-z]{3,9})\s(?P<day4>\d{1,2}),?\s(?P<year4>\d{4})
    |(?P<year6>\d{4})-(?P<month6>\d{2})
    |(?P<year5>\d{4})(?P<month5>\d{2})(?P<day5>\d{2})(?=T))
"""
_OFFSET = r"(?:Z|[-+]\d{2}(?::?\d{2})?)"
_ZONE = rf"(?P<zone>\s?(?:UTC|GMT|{_OFFSET}))?"
_TIME = re.compile(
    rf"(?:{_DATE}(?:(?:\s?[T,]\s?|\s)(?:{_CLOCK}|T?(?P<hms>\d{{4}}|\d{{6}})){_ZONE})?)",
    re.VERBOSE,
)
_CLOCK_ONLY = re.compile(_CLOCK, re.VERBOSE)
_ABBREVIATION = re.compile(r" ([A-Z]{2,5})$")  # of a zone
# Zones far from each other have the same, so that these advise and do not decide. IST
# is usual in India, Ireland and Israel.
_USUAL_OFFSETS = {
    **dict.fromkeys(("CET", "MEZ", "BST", "WEST"), "+01:00"),
    **dict.fromkeys(("CEST", "MESZ", "EET", "SAST"), "+02:00"),
    **dict.fromkeys(("EEST", "MSK"), "+03:00"),
    **dict.fromkeys(("SGT", "HKT", "AWST"), "+08:00"),
    **dict.fromkeys(("JST", "KST"), "+09:00"),
    **{"WET": "+00:00", "ACST": "+09:30", "AEST": "+10:00", "AEDT": "+11:00"},
    **{"NZST": "+12:00", "NZDT": "+13:00", "EDT": "-04:00", "MST": "-07:00"},
    **{"EST": "-05:00", "CDT": "-05:00", "CST": "-06:00", "MDT": "-06:00"},
    **{"PDT": "-07:00", "PST": "-08:00", "AKST": "-09:00", "HST": "-10:00"},
}
_MONTHS = [
    *("jan", "feb", "mar", "apr", "may", "jun"),
    *("jul", "aug", "sep", "oct", "nov", "dec"),
]


def is_time(cell: str) -> bool:
    """Whether a cell is a date, a time of day, or both."""
    cell = cell.strip()
    return bool(_TIME.fullmatch(cell) or _CLOCK_ONLY.fullmatch(cell))


def kind_of(cell: str) -> str:
    """What a cell is: "missing", "number", "time" or "text"."""
    if is_missing(cell):
        return "missing"
    if is_number(cell):
        return "number"
    return "time" if is_time(cell) else "text"


def holds_times(column: pd.Series) -> bool:
    """Whether a column holds times rather than numbers or other text."""
    import pandas as pd

    if column.dtype.kind in "mM" or isinstance(
        column.dtype, (pd.DatetimeTZDtype, pd.PeriodDtype)
    ):
        return True
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return False
    known = column.dropna().head(20)
    # A column of times with damaged cells is refused as such, not taken for text.
    return 2 * sum(is_time(str(cell)) for cell in known) > len(known)


def is_date(column: pd.Series) -> bool:
    """Whether a column of times begins with a date without a time of day."""
    if is_serial_date(column):
        return bool((column % 1 == 0).all())
    if column.dtype.kind in "iu":
        return parse_numbers(column).kind == "date"
    return column.dtype.kind != "f" and ":" not in str(column.iloc[0])


def join_calendar(frame: pd.DataFrame) -> TimeColumn:
    """Join columns of years, months, days and so on, of these names.

    Raises
    ------
    ValueError
        If a row is no date.
    """
    import pandas as pd

    return TimeColumn("datetime", pd.to_datetime(frame).to_numpy())


def parse_times(column: pd.Series, dayfirst: bool | None) -> TimeColumn:
    """Convert a column to times.

    The zone of text is its offset, or UTC where offsets vary, as over the change to
    winter time; without a zone, times stay as they are. Whole numbers are read as dates
    (20240131, 2024013123) or as the time since 1970 in s, ms, us or ns where they can
    be, and as months (202401) or times of day (930, 1015; 93000, 101500) where their
    spacing is regular only then. Under the name of a date, they are also read as the
    numbers of days that Excel writes. Other numbers stay numbers.

    Parameters
    ----------
    column : Series of shape (n_rows,)
        Text, numbers, or times.
    dayfirst : bool or None
        Whether ``01/02/2024`` is 1 February; None: only if the column shows it.

    Returns
    -------
    times : TimeColumn
        With values of datetime64, timedelta64 (times of day) or numbers.

    Raises
    ------
    ValueError
        If a time is missing or cannot be read, or day and month cannot be told apart.
    """
    import pandas as pd

    missing = np.flatnonzero(column.isna())
    if missing.size:
        raise ValueError(f"the time of {place(column, missing[0])} is missing")
    index = time_index(column)
    if index is not None:
        kind: TimeKind = "clock" if index.dtype.kind == "m" else "datetime"
        zone = zone_name(getattr(index, "tz", None))
        return TimeColumn(kind, in_utc(index).to_numpy(), zone)
    if pd.api.types.is_numeric_dtype(column):
        return parse_numbers(column)
    return _parse_text(column.astype("string").str.strip(), dayfirst)


def _parse_text(column: pd.Series, dayfirst: bool | None) -> TimeColumn:
    import pandas as pd

    first = column.iloc[0]
    if re.match(r"\d{4}-\d{2}-\d{2}", first):  # the quick way for the usual form
        zoned = column.str.contains(f":.*{_OFFSET}$", regex=True)
        times = pd.to_datetime(column, format="ISO8601", utc=True, errors="coerce")
        if times.notna().all() and (zoned.all() or not zoned.any()):
            is_date = column.str.len().eq(10).all()
            values = times.dt.tz_convert(None).to_numpy()
            zone = _common_zone(column) if zoned.all() else None
            return TimeColumn("date" if is_date else "datetime", values, zone)
    quick = _parse_uniform(column, dayfirst)
    if quick is not None:
        return TimeColumn("datetime", quick.to_numpy())
    pattern = _CLOCK_ONLY if _CLOCK_ONLY.fullmatch(first) else _TIME
    fields = column.str.extract(f"^(?:{pattern.pattern})$", flags=re.VERBOSE)
    unread = np.flatnonzero(fields.isna().all(axis=1))
    if unread.size:
        row = int(unread[0])
        cell = column.iloc[row]
        advice = ""
        if (word := _ABBREVIATION.search(cell)) and is_time(cell[: word.start()]):
            advice = f"; replace {word[1]} by its offset from UTC"
            if offset := _USUAL_OFFSETS.get(word[1]):
                advice += f", as a rule {offset}"
        raise ValueError(f"{cell!r} in {place(column, row)} is not a time{advice}")
    clock = _clock(fields)
    if pattern is _CLOCK_ONLY:
        return TimeColumn("clock", clock.to_numpy())
    times = _dates(column, fields, dayfirst) + clock
    zones, zone = fields["zone"].str.strip(), None
    if zones.notna().any():
        if zones.isna().any():
            row = int(np.argmax(zones.isna()))
            raise ValueError(
                f"{column.iloc[row]!r} in {place(column, row)} has no zone"
            )
        offsets = _offsets(zones)
        wrong = np.flatnonzero(offsets.abs() >= pd.Timedelta(days=1))
        if wrong.size:
            row = int(wrong[0])
            raise ValueError(
                f"{column.iloc[row]!r} in {place(column, row)} is a day or more from "
                "UTC"
            )
        times -= offsets
        zone = _fixed_zone(offsets.iloc[0]) if offsets.nunique() == 1 else "UTC"
    is_date = fields["hour"].isna().all() and fields["hms"].isna().all()
    return TimeColumn("date" if is_date else "datetime", times.to_numpy(), zone)


def _parse_uniform(column: pd.Series, dayfirst: bool | None) -> pd.Series | None:
    """Parse times of one format such as ``31.01.2024 23:59``, which pandas does faster.

    None if they are of another format, or leave open whether the day comes first.
    """
    import pandas as pd

    match = _TIME.fullmatch(column.iloc[0])
    if match is None or match["hour"] is None or len(match["year2"] or "") < 4:
        return None
    mark, gap = match["mark2"], match.string[match.end("year2") : match.start("hour")]
    rest = f"{mark}%Y{gap}%H:%M" + ":%S" * (match["second"] is not None)
    forms = {True: f"%d{mark}%m{rest}", False: f"%m{mark}%d{rest}"}
    read = {
        claim: times
        for claim, form in forms.items()
        if (times := pd.to_datetime(column, format=form, errors="coerce")).notna().all()
    }
    if dayfirst is None and len(read) == 2:
        dayfirst = True if mark == "." else None  # see `_is_dayfirst`
    elif dayfirst is None and read:
        dayfirst = next(iter(read))
    return None if dayfirst is None else read.get(dayfirst)


def _clock(fields: pd.DataFrame) -> pd.Series:
    """Time of day."""
    import pandas as pd

    hour, minute, second = (
        pd.to_numeric(fields[name]).fillna(0).astype(np.int64)
        for name in ("hour", "minute", "second")
    )
    if "hms" in fields:
        compact = fields["hms"].str.pad(6, side="right", fillchar="0")
        hour += pd.to_numeric(compact.str[:2]).fillna(0).astype(np.int64)
        minute += pd.to_numeric(compact.str[2:4]).fillna(0).astype(np.int64)
        second += pd.to_numeric(compact.str[4:]).fillna(0).astype(np.int64)
    half = fields["half"].astype(object).str.lower()
    if half.notna().any():
        is_pm = half.eq("p").fillna(False).astype(np.int64)
        hour = hour.where(half.isna(), hour % 12) + 12 * is_pm
    # 24:00 ends a day, and 60 is a leap second.
    wrong = np.flatnonzero((hour > 24) | (minute > 59) | (second > 60))
    if wrong.size:
        raise ValueError(f"there is no such time of day in {place(hour, wrong[0])}")
    digits = fields["fraction"].str.pad(9, side="right", fillchar="0")
    nanoseconds = pd.to_numeric(digits).fillna(0).astype(np.int64)
    seconds = pd.to_timedelta(3600 * hour + 60 * minute + second, unit="s")
    if not nanoseconds.any():
        return seconds
    return seconds + pd.to_timedelta(nanoseconds, unit="ns")


def _dates(column: pd.Series, fields: pd.DataFrame, dayfirst: bool | None) -> pd.Series:
    import pandas as pd

    is_numeric = fields["first"].notna()
    day = fields["day1"].fillna(fields["day3"]).fillna(fields["day4"])
    day = day.fillna(fields["day5"]).mask(fields["year6"].notna(), "1")
    month = fields["month1"].fillna(fields["month5"]).fillna(fields["month6"])
    if is_numeric.any():
        if _is_dayfirst(column[is_numeric], fields[is_numeric], dayfirst):
            names = ("first", "second_field")
        else:
            names = ("second_field", "first")
        day, month = day.fillna(fields[names[0]]), month.fillna(fields[names[1]])
    named = fields["month3"].fillna(fields["month4"]).str[:3].str.lower()
    numbers = {name: str(number) for number, name in enumerate(_MONTHS, 1)}
    month = month.fillna(named.map(numbers))
    year = fields["year1"]
    for name in ("year2", "year3", "year4", "year5", "year6"):
        year = year.fillna(fields[name])
    recent = pd.to_numeric(year) < _PIVOT
    year = year.where(year.str.len() == 4, np.where(recent, "20", "19") + year)
    parts = pd.DataFrame({"year": year, "month": month, "day": day})
    dates = pd.to_datetime(parts.astype(object), errors="coerce")
    unread = np.flatnonzero(dates.isna())
    if unread.size:
        row = int(unread[0])
        raise ValueError(f"{column.iloc[row]!r} in {place(column, row)} is not a date")
    return dates


def _is_dayfirst(
    column: pd.Series, fields: pd.DataFrame, dayfirst: bool | None
) -> bool:
    """Whether dates such as ``01/02/2024`` begin with the day."""
    first, second = (fields[f].astype(int) for f in ("first", "second_field"))
    proofs = {True: first > 12, False: second > 12}
    for claim, proof in proofs.items():
        if dayfirst is (not claim) and proof.any():
            raise ValueError(
                f"{column[proof].iloc[0]!r} begins with the "
                f"{'day' if claim else 'month'}, in spite of dayfirst={dayfirst}"
            )
    if dayfirst is not None:
        return dayfirst
    if proofs[True].any() and proofs[False].any():
        raise ValueError(
            f"{column[proofs[True]].iloc[0]!r} begins with the day and "
            f"{column[proofs[False]].iloc[0]!r} with the month"
        )
    # No country writes month.day.year with dots.
    if (fields["mark2"] == ".").all() and not proofs[False].any():
        return True
    short = fields["year2"].str.len() == 2
    if proofs[False].any():
        return False
    if proofs[True].any() and not short.any():
        return True
    raise ValueError(
        f"{column.iloc[0]!r} can be read in more than one way; --dayfirst or "
        "--no-dayfirst (dayfirst=True or False) says whether the day or the month "
        "comes first"
    )


def _common_zone(column: pd.Series) -> str:
    """The zone of times that all end with an offset; UTC where these differ."""
    import pandas as pd

    first = re.search(f"{_OFFSET}$", column.iloc[0])
    if first is None or not column.str.endswith(first[0]).all():
        return "UTC"
    return _fixed_zone(_offsets(pd.Series([first[0]])).iloc[0])


def _fixed_zone(offset: pd.Timedelta) -> str:
    return str(timezone(offset.to_pytimedelta()))


def _offsets(zones: pd.Series) -> pd.Series:
    """Offsets from UTC."""
    import pandas as pd

    parts = zones.str.extract(r"^([-+])(\d{2}):?(\d{2})?$")
    minutes = 60 * pd.to_numeric(parts[1]).fillna(0)
    minutes += pd.to_numeric(parts[2]).fillna(0)
    sign = np.where(parts[0].eq("-").fillna(False), -1, 1)
    return pd.to_timedelta((minutes * sign).astype(np.int64), unit="min")
