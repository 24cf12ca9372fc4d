"""Read tens of thousands of drawn tables, and count the outcomes.

    python tests/stress/fuzz_tables.py --files 10000

Made the figures on drawn tables in docs/guarantees.md, "Tables".

Each file is a table whose content is known, written in a drawn dialect: separator,
decimal mark, thousands, quotes, line ends, encoding, compression, header with or
without units, comments and other lines, the header again in the middle, a footer or a
last line that is cut off, an index, labels, columns of text, a time format, a time
order, missing rows and cells, or as Excel, Parquet or JSON lines. `load_series` must
return what was written (values, times, names and labels) or raise a ValueError. Of
every tenth file some bytes are changed; of these, only that much is required: a series
or a ValueError. Anything else is a failure: another value, another exception, a
warning. The exit status is 1 after any failure.
"""

from __future__ import annotations

import argparse
import bz2
import csv
import gzip
import io
import json
import lzma
import random
import re
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from skcoad.datasets import Series, load_series

NAMES = [
    "flow",
    "heat",
    "p1",
    "101",
    "7",
    "T (°C)",
    "Größe",
    "a b",
    "x,y",
    "n;m",
    "No #2",
]
NAMES += ["value", "Druck [bar]", "flow", "heat", "Δp", "rate|h", 'the "best"']
LABELS = ["label", "Anomaly", "is_anomaly", "outlier", "Label"]
MISSING = ["", "", "NaN", "-", "N/A", "null", "Bad Input", "#N/A", "?"]
STATES = ["on", "off", "idle", "pump A", "ok"]
SPACINGS = ["500ms", "1s", "10s", "1min", "15min", "1h", "1D"]
COMMENTS = ["# exported by a logger", "#", "# flow in l/min, heat in K"]
PREAMBLES = ["Report", "Site: A", "Export of pump 5"]
UNITS = ["l/min", "bar", "degC", "m/s", "-"]
SUFFIXES = [".csv", ".txt", ".dat", ".CSV"]
COMPRESSIONS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
# How a time is written, and what `load_series` must be told to read it.
TIME_FORMATS: dict[str, dict[str, Any]] = {
    "%Y-%m-%d %H:%M:%S": {},
    "%Y-%m-%dT%H:%M:%S": {},
    "%Y-%m-%dT%H:%M:%SZ": {},
    "%Y/%m/%d %H:%M:%S": {},
    "%d.%m.%Y %H:%M:%S": {},
    "%d/%m/%Y %H:%M:%S": {"dayfirst": True},
    "%m/%d/%Y %I:%M:%S %p": {"dayfirst": False},
    "%d-%b-%Y %H:%M:%S": {},
    "%Y%m%dT%H%M%S": {},
    "offset": {},
    "iso": {},
    "s": {},
    "ms": {},
    "us": {},
    "ns": {},
    "counter": {},
    "elapsed": {},
    "date and time": {},
    "none": {},
}


@dataclass
class Table:
    """A file, how to read it, and what is in it."""

    name: str
    data: bytes
    options: dict[str, Any]
    series: Series
    traits: dict[str, Any] = field(default_factory=dict)
    damaged: bool = False


def draw_table(rng: random.Random) -> Table:
    """Draw a table and write it in a drawn dialect."""
    n_rows = rng.randint(8, 60)
    channels = _draw_channels(rng, n_rows)
    labels = _draw_labels(rng, n_rows)
    traits: dict[str, Any] = {"time": rng.choice(list(TIME_FORMATS))}
    spacing = rng.choice(SPACINGS)
    if traits["time"] == "date and time" or "%" in traits["time"]:
        spacing = rng.choice(SPACINGS[1:])
    times = _draw_times(rng, traits["time"], spacing, n_rows)
    kept = _draw_kept(rng, n_rows) if times is not None else list(range(n_rows))
    gaps = sorted(set(range(n_rows)) - set(kept))
    for column in channels.values():
        column[gaps] = np.nan
    for column in labels.values():
        column[gaps] = 0
    order = kept.copy()
    if times is not None:
        traits["order"] = rng.choice(["up", "up", "up", "down", "shuffled"])
        if traits["order"] == "down":
            order.reverse()
        elif traits["order"] == "shuffled" and traits["time"] != "elapsed":
            rng.shuffle(order)
    series = Series(
        np.column_stack(list(channels.values())),
        np.any([*labels.values(), np.zeros(n_rows, int)], axis=0).astype(int),
        0,
        "table",
        tuple(channels),
        times,
    )
    write = _write_frame if rng.random() < 0.03 else _write_text
    return write(rng, series, labels, order, traits)


def _draw_channels(rng: random.Random, n_rows: int) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(rng.getrandbits(32))
    names: list[str] = []
    for _ in range(rng.randint(1, 4)):
        names.append(rng.choice(NAMES))
    if names[0] in ("101", "7", "#2"):  # a number, or the beginning of a comment
        names[0] = "value"
    unique: dict[str, np.ndarray] = {}
    for name in names:
        number, candidate = 0, name
        while candidate in unique:
            number += 1
            candidate = f"{name}.{number}"
        scale = 10.0 ** rng.randint(-2, 6)
        digits = rng.randint(0, 4)
        values = np.round(scale * generator.normal(size=n_rows), digits)
        if rng.random() < 0.1:
            values[:] = values[0]
        if rng.random() < 0.3:
            values[generator.random(n_rows) < 0.1] = np.nan
        unique[candidate] = values + 0.0  # no negative zero
    return unique


def _draw_labels(rng: random.Random, n_rows: int) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(rng.getrandbits(32))
    names = rng.sample(LABELS[:4], rng.choice([0, 0, 0, 1, 2]))
    return {name: (generator.random(n_rows) < 0.2).astype(int) for name in names}


def _draw_times(
    rng: random.Random, form: str, spacing: str, n_rows: int
) -> np.ndarray | None:
    if form == "none":
        return None
    step = pd.Timedelta(spacing)
    if form == "counter":
        return rng.randint(0, 5) + np.arange(n_rows)
    if form == "elapsed":
        return np.arange(n_rows) * (step / pd.Timedelta("1s"))
    start = pd.Timestamp(2000, 1, 1) + pd.Timedelta(days=rng.randint(0, 11_000))
    start += pd.Timedelta(seconds=rng.choice([0, 0, 7 * 3600, 47_100]))
    return pd.date_range(start, periods=n_rows, freq=step).to_numpy()


def _draw_kept(rng: random.Random, n_rows: int) -> list[int]:
    """Rows that are in the file; the first and the last are."""
    if rng.random() < 0.6:
        return list(range(n_rows))
    share = rng.choice([0.05, 0.2])
    inner = [row for row in range(1, n_rows - 1) if rng.random() > share]
    return [0, *inner, n_rows - 1]


def _time_texts(times: np.ndarray, form: str, decimal: str) -> dict[str, list[str]]:
    """Columns of times as text, by name."""
    if form in ("counter", "elapsed"):
        return {"time": [repr(t).replace(".", decimal) for t in times.tolist()]}
    stamps = pd.DatetimeIndex(times)
    if form in ("s", "ms", "us", "ns"):
        numbers = stamps.as_unit("ns").asi8
        per = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[form]
        if (numbers % per).any():
            texts = [repr(n / per).replace(".", decimal) for n in numbers.tolist()]
            return {"timestamp": texts}
        return {"timestamp": [str(n // per) for n in numbers.tolist()]}
    if form == "offset":
        local = stamps.tz_localize("UTC").tz_convert("Europe/Berlin")
        return {"time": [t.isoformat() for t in local]}
    if form == "iso":
        return {"time": [t.isoformat(sep=" ") for t in stamps]}
    if form == "date and time":
        return {
            "date": stamps.strftime("%Y-%m-%d").tolist(),
            "time of day": stamps.strftime("%H:%M:%S").tolist(),
        }
    return {"when": stamps.strftime(form).tolist()}


def _number_text(
    rng: random.Random, value: float, sep: str, decimal: str, thousands: str
) -> str:
    if np.isnan(value):
        return rng.choice(MISSING if sep != " " else MISSING[2:])
    text = f"{value:,}" if thousands else repr(value)
    if "e" in text:
        text, thousands = repr(value), ""
    if text.endswith(".0"):
        text = text[:-2]
    swap = {",": thousands, ".": decimal}
    return "".join(swap.get(character, character) for character in text)


def _write_text(
    rng: random.Random,
    series: Series,
    labels: dict[str, np.ndarray],
    order: list[int],
    traits: dict[str, Any],
) -> Table:
    sep = rng.choice([",", ",", ";", ";", "\t", "|", " "])
    decimal = rng.choice([".", ",", "."])
    quote = rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    thousands = ""
    if rng.random() < 0.15:
        thousands = rng.choice(["," if decimal == "." else ".", "'", "\u00a0"])
        # Elsewhere a column of 1.234 alone is one of decimal points.
        sep = ";" if thousands == "." else sep
        if thousands == "." and series.values.shape[1] == 1:
            thousands = ""  # there may be no separator in the file
    encodings = ["utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]
    encoding = rng.choice([*encodings, "latin-1", "cp1252"])
    newline = rng.choice(["\n", "\n", "\r\n", "\r"])
    header = rng.choice(
        ["plain", "plain", "plain", "units", "above", "comment", "none"]
    )
    traits |= {"sep": sep, "decimal": decimal, "thousands": thousands}
    traits |= {"encoding": encoding, "newline": newline, "header": header}
    if header == "above" and (sep == " " or series.values.shape[1] == 1):
        header = "plain"  # nothing tells a line of one or more words from the names
    options = dict(TIME_FORMATS[traits["time"]])

    columns: dict[str, list[str]] = {}
    if rng.random() < 0.15 and traits["time"] not in ("counter", "none"):
        columns[rng.choice(["", "index", "id"] if sep != " " else ["index", "id"])] = [
            str(r) for r in range(len(order))
        ]
        traits["index"] = True
    if series.timestamps is not None:
        for name, texts in _time_texts(
            series.timestamps, traits["time"], decimal
        ).items():
            columns[name] = [texts[row] for row in order]
    channels = {
        name: [
            _number_text(rng, value, sep, decimal, thousands)
            for value in series.values[order, column].tolist()
        ]
        for column, name in enumerate(series.channel_names)
    }
    extra = {name: [str(v) for v in c[order]] for name, c in labels.items()}
    if rng.random() < 0.1:
        traits["text"] = True
        extra["state"] = [rng.choice(STATES) for _ in order]
        options["drop_non_numeric"] = True
    columns |= channels | extra

    names = [
        re.sub(r"\.\d+$", "", name) if name in channels else name for name in columns
    ]
    if header == "none":
        expected = {n: f"channel_{i}" for i, n in enumerate(columns)}
        if labels or traits["time"] in ("s", "ms", "us", "ns", "counter", "elapsed"):
            header = traits["header"] = "plain"  # nothing else tells what they are
        elif traits.get("index"):
            header = traits["header"] = "plain"
        elif len(columns) == 1 and decimal == ",":
            header = traits["header"] = "plain"  # 1,5 would be two columns
        else:
            series = _renamed(series, [expected[n] for n in series.channel_names])

    out = io.StringIO()
    writer = csv.writer(out, delimiter=sep, quoting=quote, lineterminator="\n")
    if header == "above":
        for line in rng.sample(PREAMBLES, 2):
            out.write(line + "\n")
        if rng.random() < 0.5:
            out.write("\n")
    if header == "comment":
        for line in rng.sample(COMMENTS, 2):
            out.write(line + "\n")
    if header != "none":
        writer.writerow(names)
    if header == "units" and sep != " ":
        # Nothing tells a line of dashes from missing values where there is no time.
        units = UNITS if series.timestamps is not None else UNITS[:-1]
        writer.writerow(
            ["" if n not in channels else rng.choice(units) for n in columns]
        )
    rows = list(zip(*columns.values(), strict=True))
    pages = [rows]
    if header != "none" and rng.random() < 0.1:
        traits["pages"] = True
        cut = rng.randint(1, len(rows) - 1)
        pages = [rows[:cut], rows[cut:]]
    writer.writerows(pages[0])
    for page in pages[1:]:
        writer.writerow(names)
        writer.writerows(page)
    if rng.random() < 0.1 and series.timestamps is not None and sep != " ":
        traits["tail"] = True
        out.write(sep * (len(columns) - 1) + "\n")
    if rng.random() < 0.1 and series.timestamps is not None and "index" not in traits:
        traits["footer"] = True
        writer.writerow(["Mean", *["1"] * (len(columns) - 1)])
    text = out.getvalue().replace("\n", newline)
    if rng.random() < 0.1:
        text = text.rstrip("\r\n")
    elif rng.random() < 0.1 and len(columns) > 1 and "footer" not in traits:
        traits["cut off"] = True
        begun = io.StringIO()
        fields = rows[-1][: rng.randint(1, len(columns) - 1)]
        csv.writer(begun, delimiter=sep, quoting=quote).writerow(fields)
        text += begun.getvalue().rstrip("\r\n")
    try:
        data = text.encode(encoding)
    except UnicodeEncodeError:
        data = text.encode("utf-8")
        traits["encoding"] = "utf-8"
    name = "table" + rng.choice(SUFFIXES)
    if rng.random() < 0.3:
        suffix = rng.choice([*COMPRESSIONS, ".zip"])
        traits["compression"] = suffix
        if suffix == ".zip":
            stream = io.BytesIO()
            with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(name, data)
            name, data = "table.zip", stream.getvalue()
        else:
            name, data = name + suffix, COMPRESSIONS[suffix](data)
    if rng.random() < 0.2:
        options |= {"sep": "space" if sep == " " else sep, "decimal": decimal}
    return Table(name, data, options, series, traits)


def _renamed(series: Series, names: list[str]) -> Series:
    return Series(
        series.values, series.labels, 0, series.name, tuple(names), series.timestamps
    )


def _write_frame(
    rng: random.Random,
    series: Series,
    labels: dict[str, np.ndarray],
    order: list[int],
    traits: dict[str, Any],
) -> Table:
    """Write Excel, Parquet or JSON lines."""
    form = traits["container"] = rng.choice(["xlsx", "parquet", "jsonl"])
    frame = pd.DataFrame(series.values, columns=list(series.channel_names))
    for name, column in labels.items():
        frame[name] = column
    if series.timestamps is not None:
        frame.insert(0, "time", series.timestamps)
    frame = frame.iloc[order]
    stream = io.BytesIO()
    if form == "xlsx":
        frame.to_excel(stream, index=False)
        data = stream.getvalue()
    elif form == "parquet":
        frame.reset_index(drop=True).to_parquet(stream)
        data = stream.getvalue()
    else:
        records = [
            {
                key: None
                if pd.isna(value)
                else value.isoformat()
                if isinstance(value, pd.Timestamp)
                else value
                for key, value in record.items()
            }
            for record in frame.to_dict("records")
        ]
        data = "\n".join(map(json.dumps, records)).encode()
    return Table(f"table.{form}", data, {}, series, traits)


def damage(rng: random.Random, data: bytes) -> bytes:
    """Change, remove, repeat or insert some bytes."""
    for _ in range(rng.randint(1, 2)):
        start = rng.randrange(len(data) + 1)
        stop = min(len(data), start + rng.choice([1, 1, 2, 2, 20, 20, 10**6]))
        part = data[start:stop]
        instead = rng.choice([b"", part * 2, rng.randbytes(2), b"\n", b",", b'"', b";"])
        data = data[:start] + instead + data[stop:]
    return data


def judge(table: Table, folder: Path) -> tuple[str, str]:
    """Read a table: the outcome, and what is wrong, if it is a failure."""
    file = folder / table.name
    file.write_bytes(table.data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            series = load_series(file, **table.options)
    except ValueError as error:
        return ("damaged, refused" if table.damaged else "refused"), str(error)
    except Exception as error:
        return "failure", f"{type(error).__name__}: {error}"
    finally:
        file.unlink()
    if table.damaged:
        return "damaged, read", ""
    return compare(series, table.series)


def compare(series: Series, expected: Series) -> tuple[str, str]:
    """The outcome for a series that was read."""
    if series.channel_names != expected.channel_names:
        return "failure", f"names {series.channel_names}, not {expected.channel_names}"
    if series.values.shape != expected.values.shape:
        return "failure", f"shape {series.values.shape}, not {expected.values.shape}"
    if not np.array_equal(series.values, expected.values, equal_nan=True):
        different = ~((series.values == expected.values) | np.isnan(expected.values))
        return "failure", f"values {series.values[different]}"
    if not np.array_equal(series.labels, expected.labels):
        return "failure", "labels"
    if (series.timestamps is None) != (expected.timestamps is None):
        return "failure", f"times {series.timestamps}"
    if series.timestamps is not None and expected.timestamps is not None:
        # Inserted times, and seconds with a fraction, are as exact as floats are.
        spacing = expected.timestamps[1] - expected.timestamps[0]
        errors = (series.timestamps - expected.timestamps) / spacing
        if np.abs(errors).max() > 1e-6:
            return "failure", f"times {series.timestamps[:3]}"
    return "read right", ""


def main() -> None:
    """Draw, read, and print counts; the status is 1 after any failure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--refused", action="store_true", help="print every refusal")
    arguments = parser.parse_args()
    outcomes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    n_failures = 0
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(arguments.files):
            rng = random.Random(f"{arguments.seed} {number}")
            table = draw_table(rng)
            if number % 10 == 9:
                table.data, table.damaged = damage(rng, table.data), True
            outcome, message = judge(table, Path(folder))
            outcomes[outcome] += 1
            if outcome == "refused":
                reasons[re.sub(r"\d+", "N", re.sub(r"'[^']*'", "'...'", message))] += 1
            if outcome == "failure" or (outcome == "refused" and arguments.refused):
                n_failures += outcome == "failure"
                print(f"{outcome} {number}: {message[:300]} {table.traits}")
    print(", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common()))
    for reason, count in reasons.most_common(12):
        print(f"  {count} refused: {reason[:200]}")
    print(f"{time.perf_counter() - started:.0f} s")
    raise SystemExit(bool(n_failures))


if __name__ == "__main__":
    main()
