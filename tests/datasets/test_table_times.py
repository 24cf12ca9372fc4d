import io
import itertools
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
import xarray as xr

from skcoad.datasets import from_frame, load_series

NAN = np.nan


@pytest.fixture
def load(tmp_path):
    def load(text, **options):
        file = tmp_path / "table.csv"
        file.write_text(text)
        return load_series(file, **options)

    return load


def table(times, sep=","):
    rows = "".join(f"{time}{sep}{row}\n" for row, time in enumerate(times))
    return f"time{sep}v\n{rows}"


def same_times(series, times):
    np.testing.assert_array_equal(series.timestamps, np.array(times, dtype="M8[ns]"))


# Formats


@pytest.mark.parametrize(
    ("cells", "times"),
    [
        ("2024-01-31 23:59|2024-02-01 00:00", "2024-01-31T23:59|2024-02-01"),
        ("2024-01-31T23:59:00Z|2024-02-01T00:00:00Z", "2024-01-31T23:59|2024-02-01"),
        ("2024/1/31 23:59|2024/2/1 0:00", "2024-01-31T23:59|2024-02-01"),
        ("31.01.2024 23:59|01.02.2024 24:00", "2024-01-31T23:59|2024-02-02"),
        ("1.2.2024|2.2.2024", "2024-02-01|2024-02-02"),
        ("01.02.24 00:00|01.02.24 12:00", "2024-02-01|2024-02-01T12"),
        ("31/01/2024|01/02/2024", "2024-01-31|2024-02-01"),
        ("1/31/2024 11:30 PM|2/1/2024 12:00 AM", "2024-01-31T23:30|2024-02-01"),
        ("1/31/24 12:30 pm|1/31/24 1:00 p.m.", "2024-01-31T12:30|2024-01-31T13"),
        ("31-Jan-2024 00:00|01-FEB-2024 00:00", "2024-01-31|2024-02-01"),
        ("31 January 2024|1 February 2024", "2024-01-31|2024-02-01"),
        ("2024-01|2024-02", "2024-01-01|2024-02-01"),
        ("Jan 31 2024 10:00|Feb 1 2024 10:00", "2024-01-31T10|2024-02-01T10"),
        ("20240131|20240201", "2024-01-31|2024-02-01"),
        ("2024013123|2024020100", "2024-01-31T23|2024-02-01"),
        ("2024013123|2024013124|2024020101",
         "2024-01-31T23|2024-02-01|2024-02-01T01"),
        ("202311|202312|202401", "2023-11-01|2023-12-01|2024-01-01"),
        ("202401312359|202402010000", "2024-01-31T23:59|2024-02-01"),
        ("20240131T235900Z|20240201T000000Z", "2024-01-31T23:59|2024-02-01"),
        ("2024-03-31T01:30+01:00|2024-03-31T03:00+02:00",
         "2024-03-31T00:30|2024-03-31T01"),
        ("2024-01-01 00:00:00|2024-01-01 00:00:00.5",
         "2024-01-01|2024-01-01T00:00:00.5"),
        ("1700000000|1700000060", "2023-11-14T22:13:20|2023-11-14T22:14:20"),
        ("1700000000.5|1700000001", "2023-11-14T22:13:20.5|2023-11-14T22:13:21"),
        ("1700000000000|1700000060000", "2023-11-14T22:13:20|2023-11-14T22:14:20"),
        ("1700000000000001|1700000000000002",
         "2023-11-14T22:13:20.000001|2023-11-14T22:13:20.000002"),
        ("1700000000000000001|1700000000000000002",
         "2023-11-14T22:13:20.000000001|2023-11-14T22:13:20.000000002"),
    ],
)  # fmt: skip
def test_a_time_is_read_in_any_format(load, cells, times):
    same_times(load(table(cells.split("|"))), times.split("|"))


@pytest.mark.parametrize(
    ("cells", "first", "zone"),
    [
        ("2024-01-31T00:00+02:00|2024-01-31T01:00+02:00", "2024-01-30T22", "UTC+02:00"),
        ("2024-01-31 00:00-03|2024-01-31 01:00-03", "2024-01-31T03", "UTC-03:00"),
        ("2024-01-31T00:00Z|2024-01-31T01:00Z", "2024-01-31T00", "UTC"),
        ("31.01.2024 00:00 +0530|31.01.2024 01:00 +0530",
         "2024-01-30T18:30", "UTC+05:30"),
        ("31.01.2024 00:00 UTC|31.01.2024 01:00 UTC", "2024-01-31T00", "UTC"),
        # As over the change to summer time.
        ("2024-03-31T01:30+01:00|2024-03-31T03:30+02:00", "2024-03-31T00:30", "UTC"),
        ("31/03/2024 01:30 +0100|31/03/2024 03:30 +0200", "2024-03-31T00:30", "UTC"),
        ("2024-01-31 00:00|2024-01-31 01:00", "2024-01-31T00", None),
        ("1700000000|1700003600", "2023-11-14T22:13:20", None),
    ],
)  # fmt: skip
def test_the_zone_of_text_is_kept_if_it_is_one(load, cells, first, zone):
    series = load(table(cells.split("|")))
    same_times(series, np.datetime64(first) + np.array([0, 3600], "m8[s]"))
    assert series.timezone == zone


@pytest.mark.parametrize(
    ("zone", "advice"),
    [
        ("CET", "CET by its offset from UTC, as a rule +01:00"),
        ("CEST", "CEST by its offset from UTC, as a rule +02:00"),
        ("EDT", "EDT by its offset from UTC, as a rule -04:00"),
        ("PST", "PST by its offset from UTC, as a rule -08:00"),
        ("IST", "IST by its offset from UTC"),
    ],
)
def test_an_abbreviated_zone_is_refused_with_its_usual_offset(load, zone, advice):
    cells = [f"2024-06-01 {hour:02}:00:00 {zone}" for hour in range(24)]
    with pytest.raises(ValueError, match=f"; replace {re.escape(advice)}$"):
        load(table(cells))


@pytest.mark.parametrize(
    "name", ["Date", "Datum", "Datum/Uhrzeit", "Fecha y hora", "Data e ora", "DateTime"]
)
@pytest.mark.parametrize(
    ("step", "digits"), [("1D", 12), ("10min", 12), ("1s", 12), ("15min", 4)]
)
def test_numbers_of_days_under_the_name_of_a_date_are_those_of_excel(
    load, name, step, digits
):
    times = pd.date_range("2024-02-28", periods=50, freq=step)
    days = ((times - pd.Timestamp("1899-12-30")) / pd.Timedelta("1D")).to_numpy()
    if step == "1D":
        days = days.astype(int)
    rows = [f"{day if step == '1D' else round(day, digits)};7" for day in days]
    for lines in (rows, rows[::-1]):
        series = load("\n".join([f"{name};v", *lines]))
        assert series.channel_names == ("v",)
        assert f"{name}: Excel's numbers of days, read as dates" in series.notes
        errors = np.abs(series.timestamps - times.to_numpy())
        assert errors.max() <= pd.Timedelta("1D") * 0.5 * 10.0**-digits
    # A time has no dates to count.
    elapsed = load("\n".join(["time;v", *rows]))
    assert elapsed.timestamps.dtype.kind in "if"


def test_other_numbers_under_the_name_of_a_date_stay_numbers(load):
    for numbers in ([1, 2, 3], [45000, 45010, 45005], [80001, 80002, 80003]):
        series = load("\n".join(["Datum;v", *(f"{n};7" for n in numbers)]))
        np.testing.assert_array_equal(series.timestamps[0], min(numbers))
    assert load("data;v\n45292;7\n45293;8\n").channel_names == ("data", "v")


def test_hours_are_joined_with_dates_of_excel(load):
    rows = [f"{day};{hour};7" for day in (45292, 45293) for hour in range(24)]
    series = load("\n".join(["Datum;Stunde;v", *rows]))
    same_times(series, pd.date_range("2024-01-01", periods=48, freq="h"))


@pytest.mark.parametrize(
    "name",
    ["Zeit [s]", "Uhrzeit", "Zeitstempel", "Messzeit", "Horodatage", "Date / Heure",
     "Tiempo (s)", "Fecha/Hora", "Data e ora", "Tijdstip", "Data i czas", "Tidpunkt"],
)  # fmt: skip
def test_the_name_of_a_time_is_known_in_several_languages(load, name):
    series = load(f"v;{name}\n7;0.5\n8;1.0\n9;1.5\n")
    assert series.channel_names == ("v",)
    np.testing.assert_array_equal(series.timestamps, [0.5, 1, 1.5])


@pytest.mark.parametrize(
    "numbers",
    [
        [2024013100, 2024013112, 2024013124],  # hours are 0 to 23, or 1 to 24
        [2024013098, 2024013099, 2024013100],
        [2024023000, 2024023001, 2024023002],  # 30 February
    ],
)
def test_seconds_since_1970_that_could_be_hours_of_a_day_are_seconds(load, numbers):
    same_times(load(table(numbers)), np.array(numbers).astype("M8[s]"))


def test_numbers_of_a_single_year_stay_numbers(load):
    np.testing.assert_array_equal(load(table([1, 2])).timestamps, [1, 2])
    series = load(table([202401, 202402, 202403]))
    np.testing.assert_array_equal(series.timestamps, [202401, 202402, 202403])


def test_day_and_month_are_told_apart_or_asked_for(load):
    cells = ["01/02/2024", "02/02/2024"]
    with pytest.raises(ValueError, match="--dayfirst or --no-dayfirst"):
        load(table(cells))
    same_times(load(table(cells), dayfirst=True), ["2024-02-01", "2024-02-02"])
    same_times(load(table(cells), dayfirst=False), ["2024-01-02", "2024-02-02"])
    with pytest.raises(ValueError, match="begins with the day, in spite of"):
        load(table(["31/01/2024", "01/02/2024"]), dayfirst=False)
    with pytest.raises(ValueError, match="begins with the day and '01/31"):
        load(table(["31/01/2024", "01/31/2024"]))


def test_a_year_of_two_digits_may_be_a_day(load):
    with pytest.raises(ValueError, match="--dayfirst"):
        load(table(["31/01/24", "30/01/24"]))


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["2024-01-01 00:00", "later"], "'later' in line 3 is not a time"),
        (["2024-01-01", "2024-02-30"], "'2024-02-30' in line 3 is not a date"),
        (["2024-01-01 00:00", "2024-01-01 25:00"], "no such time of day in line 3"),
        (["2024-01-01T00:00Z", "2024-01-01T01:00"], "line 3 has no zone"),
        (["2024-01-01T00:00Z", "2024-01-01T01:00+25:00"], "line 3 is a day or more"),
        (["2024-01-01", ""], "the time of line 3 is missing"),
        (["5", ""], "the time of line 3 is missing"),
        (["5", "inf"], "a time is infinite"),
    ],
)
def test_a_time_that_cannot_be_read_is_an_error(load, cells, message):
    with pytest.raises(ValueError, match=message):
        load(table(cells))


# Columns


def test_date_and_time_of_day_are_joined(load):
    for text in (
        "date,time,v\n2024-01-01,00:00:00,1\n2024-01-01,00:01:00,2\n",
        "Uhrzeit;Datum;v\n00:00;01.01.2024;1\n00:01;01.01.2024;2\n",
        "date,time,v\n20240101,00:00:00,1\n20240101,00:01:00,2\n",
    ):
        given = ["date", "time"] if "20240101," in text else None
        series = load(text, time_column=given)
        same_times(series, ["2024-01-01T00:00", "2024-01-01T00:01"])
        assert series.channel_names == ("v",)


def test_times_of_day_alone_are_seconds(load):
    series = load(table(["10:00", "10:01", "10:03"]))
    np.testing.assert_array_equal(series.timestamps, [36000, 36060, 36120, 36180])
    with pytest.raises(ValueError, match="times of day have no date: row 1"):
        load(table(["23:59", "00:00", "00:01"]))


QUARTERS = [100 * hour + minute for hour in range(24) for minute in (0, 15, 30, 45)]


@pytest.mark.parametrize("name", ["time", "hhmm"])
def test_numbers_of_hours_and_minutes_are_times_of_day(load, name):
    rows = [f"{clock},{i}" for i, clock in enumerate(QUARTERS) if clock != 1015]
    series = load("\n".join([f"{name},v", *rows]))
    np.testing.assert_array_equal(series.timestamps, 900 * np.arange(96))
    assert np.flatnonzero(np.isnan(series.values[:, 0])).tolist() == [41]


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%Y%m%d", "%d.%m.%Y"])
def test_numbers_of_hours_and_minutes_are_joined_with_their_date(load, form):
    days = pd.date_range("2024-01-01", periods=3).strftime(form)
    rows = [f"{day},{clock},1" for day in days for clock in QUARTERS]
    series = load("\n".join(["date,time,v", *rows]))
    expected = pd.date_range("2024-01-01", periods=288, freq="15min")
    np.testing.assert_array_equal(series.timestamps, expected.to_numpy())
    given = load("\n".join(["a,b,v", *rows]), time_column=["a", "b"])
    np.testing.assert_array_equal(given.timestamps, series.timestamps)


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%Y%m%d", "%d.%m.%Y", "%Y-%m-%d 00:00"])
@pytest.mark.parametrize("first", [0, 1])
def test_hours_are_joined_with_their_date(load, form, first):
    days = pd.date_range("2024-01-01", periods=3).strftime(form)
    rows = [f"{day},{hour},7" for day in days for hour in range(first, first + 24)]
    for name in ("hour", "Stunde", "time", "Hour Ending"):
        series = load("\n".join([f"date,{name},load", *rows]))
        expected = pd.date_range(f"2024-01-01 0{first}:00", periods=72, freq="h")
        same_times(series, expected)
        assert (series.channel_names, series.notes) == (("load",), ("every 1 h",))
    given = load("\n".join(["date,block,load", *rows]), time_column=["date", "block"])
    same_times(given, expected)


def test_an_hour_of_a_frame_is_joined_with_its_date():
    days = pd.date_range("2024-01-01", periods=2)
    frame = pd.DataFrame({"date": days.repeat(24), "hour": 2 * [*range(24)], "v": 7.0})
    same_times(from_frame(frame), pd.date_range("2024-01-01", periods=48, freq="h"))


def test_an_hour_beside_times_that_need_none_is_a_channel(load):
    text = "date,hour,v\n2024-01-01,5,1\n2024-01-02,9,2\n"
    assert load(text).channel_names == ("hour", "v")
    text = "time,hour,v\n2024-01-01 05:00,5,1\n2024-01-01 06:00,6,2\n"
    assert load(text).channel_names == ("hour", "v")
    with pytest.raises(ValueError, match="a date and a time of day can be joined"):
        load(text.replace("6,2", "25,2"), time_column=["time", "hour"])


def test_numbers_may_have_seconds(load):
    seconds = [
        10_000 * (i // 120) + 100 * (i // 2 % 60) + 30 * (i % 2) for i in range(240)
    ]
    alone = load("\n".join(["time,v", *(f"{clock},1" for clock in seconds)]))
    np.testing.assert_array_equal(alone.timestamps, 30 * np.arange(240))
    rows = [f"2024-01-01,{clock},1" for clock in seconds]
    joined = load("\n".join(["date,time,v", *rows]))
    expected = pd.date_range("2024-01-01", periods=240, freq="30s")
    np.testing.assert_array_equal(joined.timestamps, expected.to_numpy())


def test_numbers_of_hours_and_minutes_over_several_days_need_a_date(load):
    rows = [f"{clock},1" for clock in 2 * QUARTERS]
    with pytest.raises(ValueError, match="the times of day have no date: row 96"):
        load("\n".join(["time,v", *rows]))


@pytest.mark.parametrize(
    "times",
    [
        range(0, 500, 50),
        range(0, 2400, 100),
        range(0, 240_000, 10_000),
        (2000, 2001, 2003),
        (0, 10, 20, 60, 70),
    ],
)
def test_other_numbers_are_no_times_of_day(load, times):
    series = load("\n".join(["time,v", *(f"{time},1" for time in times)]))
    assert (series.timestamps[0], series.timestamps[-1]) == (times[0], times[-1])


def test_which_of_two_times_counts_is_asked_for(load):
    text = "start,end,v\n2024-01-01,2024-01-02,1\n2024-01-02,2024-01-03,2\n"
    with pytest.raises(ValueError, match="start, end all hold times; --time-column"):
        load(text)
    series = load(text, time_column="end")
    same_times(series, ["2024-01-02", "2024-01-03"])
    assert (series.channel_names, series.notes[-1]) == (("v",), "not used: start")
    with pytest.raises(ValueError, match="no column 'stop' for the time, only start"):
        load(text, time_column="stop")
    with pytest.raises(ValueError, match="time column 'end' is given twice; two are"):
        load(text, time_column=["end", "end"])
    with pytest.raises(ValueError, match="a date and a time of day can be joined"):
        load(text, time_column=["start", "end"])


@pytest.mark.parametrize("name", ["", "index", "id", "No."])
def test_a_count_of_the_rows_is_no_channel(load, name):
    text = f"{name},time,v\n0,2024-01-01,1\n1,2024-01-02,2\n"
    series = load(text)
    assert series.channel_names == ("v",)
    same_times(series, ["2024-01-01", "2024-01-02"])
    alone = load(f"{name},v\n5,1\n6,2\n7,3\n")
    np.testing.assert_array_equal(alone.timestamps, [5, 6, 7])
    assert load(f"{name or 'id'},v\n5,1\n9,2\n7,3\n").channel_names[-1] == "v"


@pytest.mark.parametrize("name", ["", "Unnamed: 0", "index", "id", "row"])
def test_an_index_with_gaps_is_no_channel(load, name):
    days = ["2024-01-01", "2024-01-02", "2024-01-03"]
    for numbers in ([0, 2, 3], [9, 4, 1]):
        rows = zip(numbers, days, strict=True)
        text = f"{name},time,v\n" + "".join(f"{n},{day},7\n" for n, day in rows)
        for series in (load(text), load(text, time_column="time")):
            assert (series.channel_names, series.notes[-1]) == (
                ("v",), f"not used: {name or 'index'}"
            )  # fmt: skip
            same_times(series, days)


@pytest.mark.parametrize("numbers", [[0, 2, 3, 7], [0, 1, 0, 1], [5, 3, 9, 1]])
def test_an_index_of_pandas_is_no_channel_whatever_rows_are_left(load, numbers):
    frame = pd.DataFrame({"v": [1.5, 2, 3, 4], "w": 7}, index=numbers)
    series = load(frame.to_csv())
    assert series.channel_names == ("v", "w")
    assert (series.timestamps, series.notes) == (None, ("not used: index",))
    again = load(pd.read_csv(io.StringIO(frame.to_csv())).to_csv(index=False))
    assert (again.channel_names, again.notes) == (("v", "w"), ("not used: Unnamed: 0",))
    days = pd.date_range("2024-01-01", periods=4).strftime("%Y-%m-%d")
    dated = load(frame.assign(time=days).to_csv())
    assert (dated.channel_names, dated.notes[-1]) == (("v", "w"), "not used: index")


def test_whole_numbers_that_are_all_there_is_are_a_channel(load):
    assert load(",time\n5,2024-01-01\n9,2024-01-02\n").channel_names == ("",)
    assert load(",label\n5,0\n9,1\n7,0\n").channel_names == ("",)
    assert load("id,v\n5,1\n9,2\n12,3\n").channel_names == ("id", "v")
    text = "time,\u7d2f\u8ba1,v\n2024-01-01,5,1\n2024-01-02,9,2\n"
    assert load(text).channel_names == ("\u7d2f\u8ba1", "v")


@pytest.mark.parametrize("header", ["t,v\n", "Messzeit,v\n", ""])
def test_an_ordered_first_column_of_epochs_is_the_time(load, header):
    same_times(
        load(header + "1700000000,1.5\n1700000060,2.5\n"),
        ["2023-11-14T22:13:20", "2023-11-14T22:14:20"],
    )
    assert load("a,b\n5,1700000000\n6,1700000060\n").channel_names == ("a", "b")
    assert load("a,b\n1700000000,5\n1700000000,6\n").channel_names == ("a", "b")


@pytest.mark.parametrize(
    ("header", "cells", "first"),
    [
        ("t [s]", ("0.5", "1.0", "1.5"), 0.5),
        ("year", ("2001", "2002", "2003"), 2001.0),
        ("when", ("202401312300", "202402010000", "202402010100"), "2024-01-31T23:00"),
        ("tag", ("20240131", "20240201", "20240202"), "2024-01-31"),
    ],
)
def test_an_ordered_first_column_of_dates_or_seconds_is_the_time(
    load, header, cells, first
):
    series = load(f"{header},v\n" + "".join(f"{cell},7\n" for cell in cells))
    assert series.channel_names == ("v",)
    assert series.timestamps[0] == (
        first if isinstance(first, float) else np.datetime64(first)
    )
    later = load("v," + header + "\n" + "".join(f"7,{cell}\n" for cell in cells))
    assert later.channel_names == ("v", header)


def test_years_months_and_days_are_joined_or_refused(load):
    text = "no,year,month,day,hour,v\n1,2024,2,28,23,1\n2,2024,2,29,0,2\n"
    same_times(load(text), ["2024-02-28T23:00", "2024-02-29"])
    with pytest.raises(
        ValueError, match=r"table\.csv: year and month and day and hour"
    ):
        load(text.replace("29", "30"))
    parts = load("year,month,v\n2024,1,7\n2024,2,8\n")
    assert parts.channel_names == ("year", "month", "v")


def test_a_measured_time_is_a_channel(load):
    series = load("run time,utc\n5,1\n9,2\n")
    assert series.channel_names == ("run time", "utc")


# Order, spacing, gaps

HOURS = ["2024-01-01 00:00", "2024-01-01 01:00", "2024-01-01 02:00"]


def test_rows_are_put_into_time_order(load):
    newest = load("time,v\n" + "".join(f"{t},{t[12]}\n" for t in HOURS[::-1]))
    mixed = load("time,v\n" + "".join(f"{HOURS[i]},{i}\n" for i in (1, 0, 2)))
    for series, note in ((newest, "newest first, turned around"),
                         (mixed, "sorted by time")):  # fmt: skip
        np.testing.assert_array_equal(series.values.ravel(), [0, 1, 2])
        same_times(series, HOURS)
        assert note in series.notes


def test_missing_rows_become_missing_values(load):
    series = load(table([*HOURS, "2024-01-01 05:00", "2024-01-01 06:00"]))
    np.testing.assert_array_equal(series.values.ravel(), [0, 1, 2, NAN, NAN, 3, 4])
    same_times(series, pd.date_range("2024-01-01", periods=7, freq="h"))
    assert series.notes == ("every 1 h", "2 missing rows are missing values")


def test_repeated_rows_are_left_out_and_repeated_times_refused(load):
    text = "time,v\n" + "".join(f"{t},{t[12]}\n" for t in [*HOURS, HOURS[2]])
    series = load(text)
    assert len(series.values) == 3
    assert "1 repeated rows left out" in series.notes
    text += f"{HOURS[2]},7\n"
    with pytest.raises(ValueError, match="02:00 has more than one row; --resample"):
        load(text)
    series = load(text, resample="1h")
    np.testing.assert_array_equal(series.values.ravel(), [0, 1, 4.5])


@pytest.mark.parametrize("step", ["0.1", "0.3", "7", "0.001"])
def test_an_interval_that_is_the_spacing_of_numbers_changes_nothing(load, step):
    lines = (f"{i * float(step):.6g},{i % 7}\n" for i in range(2000))
    series = load("time,v\n" + "".join(lines), resample=step)
    np.testing.assert_array_equal(series.values.ravel(), np.arange(2000) % 7)


@pytest.mark.parametrize("sensors", [("a", "b"), ("7", "12")])
def test_rows_of_several_series_are_a_panel(load, sensors):
    cells = list(itertools.product(sensors, HOURS))
    rows = [f"{time},{name},{i}.5" for i, (name, time) in enumerate(cells)]
    text = "\n".join(["time,sensor,v", *rows])
    message = "more than one row, of several series by column 'sensor'; with the names"
    for options in ({}, {"drop_non_numeric": True}, {"columns": ["v"]}):
        with pytest.raises(ValueError, match=message):
            load(text, **options)
    series = load(text, columns=["v"], resample="1h")
    np.testing.assert_array_equal(series.values.ravel(), [2, 3, 4])
    assert "averaged over the series of column 'sensor'" in series.notes
    # Nothing averages over the series unasked, nor where a row is in the file twice.
    for rows_again in ((), rows[-1:]):
        text = "\n".join(["time,sensor,v", *rows, *rows_again])
        for options in (
            {},
            {"drop_non_numeric": True},
            {"drop_non_numeric": True, "resample": "1h"},
        ):
            with pytest.raises(ValueError, match=message):
                load(text, **options)
    hours = [*HOURS, "2024-01-01 03:00", "2024-01-01 04:00"]
    text = f"time,pump,v\n{HOURS[0]},1,8\n" + "".join(f"{t},0,7\n" for t in hours)
    with pytest.raises(ValueError, match="has more than one row; --resample"):
        load(text)


def test_few_times_that_a_series_has_twice_hide_no_panel(load):
    times = pd.date_range("2024-01-01", periods=200, freq="h").astype(str)
    rows = [f"{t},{name},{i}.5" for name in "ab" for i, t in enumerate(times)]
    text = "\n".join(["time,sensor,v", *rows, f"{times[-1]},b,7.5"])
    with pytest.raises(ValueError, match="of several series by column 'sensor'"):
        load(text)


def test_whole_numbers_that_are_measured_name_no_series(load):
    counts = np.random.default_rng(0).integers(0, 900, 2000)
    times = pd.date_range("2024-01-01", periods=1000, freq="h").astype(str).repeat(2)
    lines = [f"{t},{n}" for t, n in zip(times, counts, strict=True)]
    series = load("\n".join(["time,count", *lines]), resample="1h")
    np.testing.assert_allclose(series.values.ravel(), counts.reshape(-1, 2).mean(1))


def test_a_clock_that_was_set_back_is_not_sorted(load):
    hours = [f"2024-10-27 0{h}:{m}" for h in (0, 1, 2, 2, 3) for m in ("01", "31")]
    hours[6:8] = ["2024-10-27 02:02", "2024-10-27 02:32"]  # so that no time repeats
    with pytest.raises(ValueError, match=r"row 6 .* set back\?.*--resample"):
        load(table(hours))


def test_rows_of_a_clock_that_was_set_back_can_be_averaged(load):
    cells = ["01:10", "01:40", "02:10", "02:40", "02:05", "02:35", "03:10", "03:40"]
    series = load(table([f"2024-10-27 {cell}" for cell in cells]), resample="30min")
    # The rows from 2 to 3 are those of both hours.
    np.testing.assert_array_equal(series.values.ravel(), [0, 1, 3, 4, 6, 7])
    assert series.notes == ("every 30min", "sorted by time")


def test_irregular_times_are_refused_until_resampled(load):
    cells = ["00:00", "00:17", "00:21", "01:04", "01:11"]
    text = table([f"2024-01-01 {cell}" for cell in cells])
    with pytest.raises(ValueError, match=r"no regular spacing.*--resample"):
        load(text)
    series = load(text, resample="30min")
    np.testing.assert_array_equal(series.values.ravel(), [1, NAN, 3.5])
    same_times(series, ["2024-01-01 00:00", "2024-01-01 00:30", "2024-01-01 01:00"])


@pytest.mark.parametrize(
    ("width", "times"),
    [("7D", ["2024-01-01", "2024-01-08"]), ("1d", ["2024-01-01", "2024-01-02"]),
     ("W", ["2024-01-07", "2024-01-14"]), ("MS", ["2024-01-01", "2024-02-01"]),
     ("QS", ["2024-01-01", "2024-04-01"]), ("YS", ["2024-01-01", "2025-01-01"]),
     ("B", ["2024-01-01", "2024-01-02"])],
)  # fmt: skip
def test_an_interval_may_be_of_the_calendar(load, width, times):
    days = pd.date_range("2024-01-01", "2026-12-31").strftime("%Y-%m-%d")
    series = load(table(days), resample=width)
    same_times(
        series, pd.date_range(times[0], periods=len(series.values), freq=width.upper())
    )
    assert times == np.datetime_as_string(series.timestamps[:2], unit="D").tolist()
    assert series.values.sum() > 0
    assert not np.isnan(series.values).any()


def test_an_interval_of_a_day_begins_at_midnight_of_the_zone():
    hours = pd.date_range("2024-03-30", periods=71, freq="h", tz="Europe/Berlin")
    series = from_frame(pd.DataFrame({"v": 1.0}, index=hours), resample="1D")
    days = pd.date_range("2024-03-30", periods=3, tz="Europe/Berlin")
    assert series.index.tolist() == days.tolist()


def test_missing_months_are_those_of_the_zone():
    months = pd.date_range("2024-01-01", periods=12, freq="MS", tz="America/New_York")
    series = from_frame(pd.DataFrame({"v": 1.0}, index=months.delete(6)))
    assert series.notes[0] == "every 1 month"
    assert series.index.tolist() == months.tolist()


def test_an_error_shows_times_in_their_zone(load):
    cells = ["2024-01-01T00:00+02:00", "2024-01-01T00:00+02:00"]
    with pytest.raises(ValueError, match=r"2024-01-01 00:00\+02:00 has more than one"):
        load(table(cells))
    minutes = ("00", "17", "21", "44", "51")
    cells = [f"2024-01-01T00:{minute}+02:00" for minute in minutes]
    with pytest.raises(ValueError, match=r"between 2024-01-01 00:..\+02:00 and"):
        load(table(cells))


def test_rows_of_a_year_each_can_be_averaged_over_two(load):
    series = load(
        table([f"{year}-01-01" for year in range(2000, 2010)]), resample="2YS"
    )
    np.testing.assert_array_equal(series.values.ravel(), [0.5, 2.5, 4.5, 6.5, 8.5])


def test_numeric_times_are_resampled_in_their_unit(load):
    text = "time,v,label\n0.0,1,0\n0.3,3,1\n0.4,5,0\n2.1,7,0\n"
    series = load(text, resample="1")
    np.testing.assert_array_equal(series.values.ravel(), [3, NAN, 7])
    np.testing.assert_array_equal(series.timestamps, [0, 1, 2])
    np.testing.assert_array_equal(series.labels, [1, 0, 0])


@pytest.mark.parametrize(
    ("text", "resample", "message"),
    [
        (table(HOURS), "often", "a number above 0 and a unit .*got 'often'"),
        (table(HOURS), "-1min", "a number above 0 and a unit such as 10s"),
        (table(HOURS), "0min", "a number above 0 and a unit such as 10s"),
        (table(HOURS), "99999999YS", "a number above 0 and a unit such as 10s"),
        (table(["10:00", "10:01"]), "1MS", "1D or 1MS .*, got '1MS'"),
        (table(HOURS), "1ns", "would be almost all empty"),
        (table([1, 2, 3]), "1min", "a number above 0, got '1min'"),
        (table([1, 2, 3]), "0", "a number above 0, got '0'"),
        ("v\n1\n2\n", "1min", "resampling needs times"),
    ],
)
def test_resampling_that_cannot_be_is_an_error(load, text, resample, message):
    with pytest.raises(ValueError, match=message):
        load(text, resample=resample)


def test_options_are_for_tables_alone(tmp_path):
    file = tmp_path / "001_UCR_Anomaly_x_1_2_2.txt"
    file.write_text("1 2 3")
    assert load_series(file, columns=["channel_0"]).train_length == 1
    with pytest.raises(ValueError, match="a file of a benchmark by its name"):
        load_series(file, sep=";")


# Frames


@pytest.fixture
def frame():
    days = pd.to_datetime(["2024-01-05", "2024-01-03", "2024-01-02", "2024-01-01"])
    return pd.DataFrame(
        {"flow": [5.0, 3, 2, 1], "heat": [50, 30, 20, 10], "label": [1, 0, 0, 0]},
        index=pd.Index(days, name="time"),
    )


def as_columns(frame):
    return frame.reset_index()


def as_text(frame):
    return frame.set_axis(frame.index.strftime("%Y-%m-%d"))


def as_zone(frame):
    return frame.tz_localize("UTC").tz_convert("Asia/Tokyo")


def as_periods(frame):
    return frame.to_period("D")


def as_arrow(frame):
    return as_zone(frame).reset_index().convert_dtypes(dtype_backend="pyarrow")


def as_nullable(frame):
    return frame.reset_index().convert_dtypes()


def as_objects(frame):
    return frame.reset_index().astype(object)


def as_polars(frame):
    columns = {name: frame[name].to_numpy() for name in frame}
    return pl.DataFrame({"time": frame.index.to_numpy(), **columns})


def as_polars_dates(frame):
    return as_polars(frame).with_columns(pl.col("time").cast(pl.Date))


def as_xarray(frame):
    return xr.Dataset.from_dataframe(frame)


@pytest.mark.parametrize(
    "convert",
    [
        lambda frame: frame, as_columns, as_text, as_zone, as_arrow, as_periods,
        as_nullable, as_objects, as_polars, as_polars_dates, as_xarray,
    ],
)  # fmt: skip
def test_frames_of_any_library_are_read_as_tables_are(frame, convert):
    series = from_frame(convert(frame), name="pump")
    assert (series.name, series.channel_names) == ("pump", ("flow", "heat"))
    expected = [[1, 10], [2, 20], [3, 30], [NAN, NAN], [5, 50]]
    np.testing.assert_array_equal(series.values, expected)
    np.testing.assert_array_equal(series.labels, [0, 0, 0, 0, 1])
    same_times(series, pd.date_range("2024-01-01", periods=5))
    assert "1 missing rows are missing values" in series.notes


@pytest.mark.parametrize(
    "convert",
    [
        lambda frame: frame, as_columns, as_objects,
        lambda frame: as_columns(frame).convert_dtypes(dtype_backend="pyarrow"),
        lambda frame: pl.from_pandas(as_columns(frame)),
    ],
)  # fmt: skip
def test_the_zone_of_a_frame_is_that_of_the_series(convert):
    hours = pd.date_range("2024-10-26", periods=50, freq="h", tz="Europe/Berlin")
    frame = pd.DataFrame({"v": np.arange(50.0)}, index=hours.rename("time"))
    series = from_frame(convert(frame.drop(hours[26])))
    assert series.timezone == "Europe/Berlin"
    assert series.index.tolist() == hours.tolist()
    same_times(series, hours.tz_convert(None))


def test_the_dimension_of_time_may_be_the_last(frame):
    values = np.arange(8.0).reshape(2, 4)
    days = pd.date_range("2024-01-01", periods=4)
    array = xr.DataArray(
        values, dims=("channel", "time"), coords={"channel": ["a", "b"], "time": days}
    )
    series = from_frame(array)
    assert series.channel_names == ("a", "b")
    np.testing.assert_array_equal(series.values, values.T)
    same_times(series, days)


def test_a_single_column_is_a_frame_too(frame):
    for column in (
        frame["flow"],
        xr.DataArray(frame["flow"].to_numpy(), {"time": frame.index.to_numpy()}),
    ):
        np.testing.assert_array_equal(
            from_frame(column).values.ravel(), [1, 2, 3, NAN, 5]
        )
    np.testing.assert_array_equal(
        from_frame(pl.Series("v", [1.5, 2])).values, [[1.5], [2]]
    )


def test_options_of_frames_are_those_of_files(frame):
    with pytest.raises(ValueError, match="'state' must be numeric"):
        from_frame(frame.assign(state="on"))
    series = from_frame(frame.assign(state="on"), drop_non_numeric=True)
    assert series.channel_names == ("flow", "heat")
    assert len(from_frame(frame, resample="2D").values) == 3
    text = frame.assign(flow=["1,500", "2,500", "3,500", None])
    with pytest.raises(ValueError, match="frame: numbers such as 1,234"):
        from_frame(text)
    assert from_frame(text, decimal=",").values[-1].tolist() == [1.5, 50]
    with pytest.raises(ValueError, match=r"'\.' or ',', got ';'"):
        from_frame(frame, decimal=";")


@pytest.mark.parametrize(
    "table",
    [
        np.zeros((5, 2)),
        pd.DataFrame({"v": [1, 2]}, index=pd.MultiIndex.from_tuples([(1, 2), (3, 4)])),
        xr.DataArray(np.zeros((2, 2, 2))),
    ],
)
def test_what_is_no_frame_is_an_error(table):
    with pytest.raises(ValueError, match=r"a table (is a DataFrame|has one row)"):
        from_frame(table)
