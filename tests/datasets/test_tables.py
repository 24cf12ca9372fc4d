import bz2
import gzip
import io
import json
import lzma
import random
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stress.fuzz_tables import damage, draw_table, judge

from skcoad.datasets import load_series, open_archive
from skcoad.datasets._unpacking import MAX_UNPACKED

NAN = np.nan
PLAIN = "time,v\n2024-01-01,1.5\n2024-01-02,2.5\n"


@pytest.fixture
def load(tmp_path):
    def load(content, name="table.csv", **options):
        file = tmp_path / name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return load_series(file, **options)

    return load


def check(series, names, values, times=None):
    assert series.channel_names == tuple(names)
    np.testing.assert_array_equal(series.values, values)
    if times is not None:
        np.testing.assert_array_equal(
            series.timestamps, np.array(times, dtype="M8[us]")
        )


def zipped(**files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("_", "."), content)
    return stream.getvalue()


# Separators and decimal marks


@pytest.mark.parametrize(
    "text",
    [
        "a;b\n1.5;2\n2.5;3\n",
        "a\tb\n1.5\t2\n2.5\t3\n",
        "a|b\n1.5|2\n2.5|3\n",
        "a b\n1.5 2\n2.5  3\n",
        "a;b\n1,5;2\n2,5;3\n",
        "a\tb\n1,5\t2\n2,5\t3\n",
        "a, b\n1.5, 2\n2.5, 3\n",
        'a,b\n"1,5",2\n"2,5",3\n',
        '"a","b"\n"1.5","2"\n"2.5","3"\n',
        "sep=;\na;b\n1,5;2\n2,5;3\n",
        "a,b\r\n1.5,2\r\n2.5,3\r\n",
        "a,b\r1.5,2\r2.5,3",
        "a;b;\n1,5;2;\n2,5;3;\n",
        "a;b\n1,5;2;\n2,5;3;\n",
        "# a b\n1.5 2\n2.5 3\n",
        "# written today\na,b\n1.5,2\n# a pause\n2.5,3\n",
        "# line\n" * 500 + "a,b\n1.5,2\n2.5,3\n",
        "a,b\nl/min,°C\n1.5,2\n2.5,3\n",
        "Site;4\n\na;b\n1,5;2\n2,5;3\n",
        "Report;\nMay;\na;b\n1,5;2\n2,5;3\n",
        "a,b\n1.5,2\n2.5,3\n\n\n",
        '"a",b\n1.5,2\n2.5,3\n',
    ],
)
def test_a_table_is_read_in_any_dialect(load, text):
    check(load(text), ["a", "b"], [[1.5, 2], [2.5, 3]])


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (("1.234,5", "-2.345.678,25"), [1234.5, -2345678.25]),
        (("1,234.5", "2,345,678"), [1234.5, 2345678]),
        (("1 234,5", "12\u00a0345,25"), [1234.5, 12345.25]),
        (("1'234.5", "12'345.25"), [1234.5, 12345.25]),
        (("0,125", "1,125"), [0.125, 1.125]),
        (("1234,567", "1,125"), [1234.567, 1.125]),
        (("\u22121,5", "1e3"), [-1.5, 1000]),
        ((",5", "1,"), [0.5, 1]),
    ],
)
def test_decimal_mark_and_thousands_are_told_by_the_cells(load, cells, values):
    text = "".join(f"2024-01-0{day};{cell}\n" for day, cell in enumerate(cells, 1))
    check(load("time;v\n" + text), ["v"], np.array(values)[:, np.newaxis])


@pytest.mark.parametrize("cells", ["1,234 2,345", "1.234 2.345"])
def test_what_may_be_thousands_is_refused_until_it_is_told(load, cells):
    text = "v;w\n" + "".join(f"{cell};1\n" for cell in cells.split())
    with pytest.raises(ValueError, match="--decimal"):
        load(text)
    mark, other = (",", ".") if "," in cells else (".", ",")
    check(load(text, decimal=mark), ["v", "w"], [[1.234, 1], [2.345, 1]])
    check(load(text, decimal=other), ["v", "w"], [[1234, 1], [2345, 1]])


def test_a_point_and_a_comma_as_decimal_marks_are_refused(load):
    with pytest.raises(ValueError, match=r"'2\.5' has a decimal point and '1,5'"):
        load("a;b\n1,5;2.5\n2,5;3.5\n")


def as_json_text(cells):
    return json.dumps([{"v": cell, "w": 1} for cell in cells]).encode()


def as_parquet_text(cells):
    return pd.DataFrame({"v": cells, "w": 1}).to_parquet()


def as_excel_text(cells):
    stream = io.BytesIO()
    pd.DataFrame({"v": cells, "w": 1}).to_excel(stream, index=False)
    return stream.getvalue()


@pytest.mark.parametrize("write", [as_json_text, as_parquet_text, as_excel_text])
def test_numbers_that_are_text_have_marks_in_other_kinds_of_tables(load, write):
    with pytest.raises(ValueError, match=r"t(, Sheet1)?: numbers .* 1,234 .*--decimal"):
        load(write(["1,500", "2,250"]), "t")
    for decimal, factor in ((",", 1), (".", 1000)):
        series = load(write(["1,500", "2,250"]), "t", decimal=decimal)
        check(series, ["v", "w"], [[1.5 * factor, 1], [2.25 * factor, 1]])
    check(load(write(["1,5", "-1.234,5"]), "t"), ["v", "w"], [[1.5, 1], [-1234.5, 1]])
    with pytest.raises(ValueError, match=r"'2\.5' has a decimal point and '1,5'"):
        load(write(["1,5", "2.5"]), "t")


def test_numbers_of_a_workbook_need_no_decimal_mark(load):
    cells = as_excel_text(["1,5", 1.234, None, 7])
    expected = [[1.5, 1], [1.234, 1], [NAN, 1], [7, 1]]
    check(load(cells, "t", decimal=","), ["v", "w"], expected)
    numbers = as_excel_text([1.234, 2.5])
    for decimal in (None, ".", ","):
        check(load(numbers, "t", decimal=decimal), ["v", "w"], [[1.234, 1], [2.5, 1]])


def test_a_separator_can_be_told(load):
    check(load("a/b\n1/2\n3/4\n", sep="/"), ["a", "b"], [[1, 2], [3, 4]])
    check(load("a b\n1 2\n3  4\n", sep="space"), ["a", "b"], [[1, 2], [3, 4]])
    with pytest.raises(ValueError, match="one character, got 'ab'"):
        load("a/b\n1/2\n", sep="ab")
    with pytest.raises(ValueError, match=r"'\.' or ',', got 'x'"):
        load("a/b\n1/2\n", decimal="x")


@pytest.mark.parametrize(
    ("time", "message"),
    [
        ("20240301 {:02d}00", "time: '20240301 0000' in line 2 is not a time$"),
        (
            "2024-03-01 {:02d}:00 CET",
            r"00:00 CET' in line 2 is not a time; replace CET by its .* \+01:00$",
        ),
    ],
)
def test_a_time_that_is_not_recognised_is_not_split_at_its_spaces(load, time, message):
    rows = "".join(f"{time.format(hour)},0.{hour:03d}\n" for hour in range(24))
    with pytest.raises(ValueError, match=message):
        load("time,v\n" + rows)
    # The header of a table of white space may have commas.
    check(load("flow, heat\n" + "1 2\n" * 9), ["flow,", "heat"], [[1, 2]] * 9)


def test_spaces_within_fields_separate_nothing(load):
    text = "time\tT (°C)\tstate\n" + "".join(
        f"01.02.2024 0{hour}:00\t1,5\tpump\n" for hour in range(9)
    )
    series = load(text, drop_non_numeric=True)
    check(series, ["T (°C)"], [[1.5]] * 9)
    text = "time,a,b,c,v\n2024-01-01 00:00,on,off,idle,5\n"
    check(load(text, columns=["v"]), ["v"], [[5]])


# Encodings and compression


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"],
)
def test_the_encoding_is_found(load, encoding):
    series = load("Größe;T\n1,5;2\n2,5;3\n".encode(encoding))
    check(series, ["Größe", "T"], [[1.5, 2], [2.5, 3]])
    assert any("Windows-1252" in note for note in series.notes) == (
        encoding == "latin-1"
    )


@pytest.mark.parametrize(
    "pack",
    [gzip.compress, bz2.compress, lzma.compress, lambda data: zipped(pump_csv=data)],
)
def test_compression_is_known_by_the_content(load, pack, tmp_path):
    data = pack(PLAIN.encode())
    check(load(data, "table.dat"), ["v"], [[1.5], [2.5]])
    with pytest.raises(ValueError, match=r"table\.dat"):
        load(data[: len(data) // 2], "table.dat")


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_what_is_damaged_cannot_be_unpacked(load, pack):
    with pytest.raises(ValueError, match=r"table\.dat cannot be unpacked: "):
        load(pack(PLAIN.encode())[:-9], "table.dat")


def test_an_archive_has_compressed_tables(tmp_path):
    (tmp_path / "one.csv.gz").write_bytes(gzip.compress(PLAIN.encode()))
    (tmp_path / "two.csv").write_text(PLAIN)
    archive = open_archive(tmp_path)
    assert archive.names == ("one", "two")
    np.testing.assert_array_equal(archive[0].values, archive[1].values)


def test_a_zip_file_of_several_tables_is_an_archive(load):
    with pytest.raises(ValueError, match="open_archive"):
        load(zipped(a_csv=PLAIN, b_csv=PLAIN), "table.zip")


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: zipped(a_csv=data)])
def test_what_decompresses_to_too_much_is_refused(load, pack, monkeypatch):
    monkeypatch.setattr("skcoad.datasets._unpacking.MAX_UNPACKED", 1000)
    with pytest.raises(ValueError, match=r"table\.dat.* is more than .* when unpacked"):
        load(pack(b"v\n" + b"1\n" * 1000), "table.dat")
    assert MAX_UNPACKED == 512 * 2**20


# Other kinds of files


@pytest.fixture
def frame():
    hours = pd.date_range("2024-01-01", periods=4, freq="h")
    return pd.DataFrame(
        {"time": hours, "v": [1.5, NAN, -3.25, 4], "label": [0, 0, 1, 0]}
    )


def as_excel(frame):
    stream = io.BytesIO()
    with pd.ExcelWriter(stream) as writer:
        frame.to_excel(writer, sheet_name="data", index=False)
        pd.DataFrame({"note": ["nothing"]}).to_excel(writer, sheet_name="notes")
    return stream.getvalue()


def as_parquet(frame):
    stream = io.BytesIO()
    frame.set_index("time").to_parquet(stream)
    return stream.getvalue()


def as_json_lines(frame):
    return "\n".join(json.dumps(r) for r in as_records(frame)).encode()


def as_json(frame):
    return json.dumps(as_records(frame)).encode()


def as_json_columns(frame):
    table = pd.DataFrame(as_records(frame)).astype(object)
    return json.dumps(table.where(table.notna(), None).to_dict("list")).encode()


def as_json_of_pandas(orient, date_format):
    def write(frame):
        options = {"orient": orient, "date_format": date_format}
        return frame.set_index("time").to_json(**options).encode()

    write.__name__ = f"as_json_{orient}_{date_format}"
    return write


def as_nested_json(frame):
    return json.dumps({"unit": "bar", "rows": as_records(frame)}).encode()


def as_excel_with_a_title(frame):
    stream = io.BytesIO()
    with pd.ExcelWriter(stream) as writer:
        days = frame["time"].dt.normalize()
        split = frame.assign(time=frame["time"].dt.time)
        split.insert(0, "date", days)
        split.to_excel(writer, startrow=2, startcol=1, index=False)
        writer.book.active["A1"] = "Pump 7"
    return stream.getvalue()


def as_calendar(frame):
    parts = ("year", "month", "day", "hour")
    dates = {part.title(): getattr(frame["time"].dt, part) for part in parts}
    return pd.DataFrame(dates | dict(frame[["v", "label"]])).to_csv().encode()


def as_records(frame):
    return [
        {"time": row.time.isoformat(), "label": row.label}
        | ({} if np.isnan(row.v) else {"v": row.v})
        for row in frame.itertuples()
    ]


BINARY = [as_excel, as_parquet, as_json_lines, as_json, as_json_columns]


@pytest.mark.parametrize(
    "write",
    [
        *BINARY,
        *(as_json_of_pandas(o, "iso") for o in ("columns", "index", "split", "table")),
        *(as_json_of_pandas(orient, "epoch") for orient in ("columns", "index")),
        as_nested_json,
        as_excel_with_a_title,
        as_calendar,
    ],
)
# Of pandas, which will write other times one day.
@pytest.mark.filterwarnings("ignore:.*'epoch':", "ignore:The default formatting")
def test_other_kinds_of_tables_are_read_alike(load, frame, write):
    series = load(write(frame), "table.dat")
    check(series, ["v"], frame[["v"]].to_numpy(), frame["time"])
    np.testing.assert_array_equal(series.labels, frame["label"])


def test_objects_and_lists_within_json_are_columns(load):
    nested = [{"t": f"2024-01-0{i}", "flow": {"mean": i, "max": 9}} for i in (1, 2)]
    series = load(json.dumps(nested), "nested.json")
    assert series.channel_names == ("flow.mean", "flow.max")
    assert series.values.tolist() == [[1, 9], [2, 9]]
    lists = load('[["2024-01-01", 1.5], ["2024-01-02", 2.5]]', "lists.json")
    check(lists, ["channel_1"], [[1.5], [2.5]], ["2024-01-01", "2024-01-02"])


@pytest.mark.parametrize("date_format", ["iso", "epoch"])
@pytest.mark.filterwarnings("ignore:.*'epoch':", "ignore:The default formatting")
def test_values_by_their_times_are_a_column(load, frame, date_format):
    column = frame.set_index("time")["v"]
    text = column.to_json(date_format=date_format)
    check(load(text), ["channel_0"], frame[["v"]].to_numpy(), frame["time"])
    numbered = load(column.reset_index(drop=True).to_json())
    check(numbered, ["channel_0"], frame[["v"]].to_numpy())
    check(load('{"101": 1.5, "102": 2}'), ["101", "102"], [[1.5, 2]])


@pytest.mark.parametrize(
    ("orient", "names"),
    [("columns", ["v", "w"]), ("columns", ["0", "1"]), ("index", ["v", "w"])],
)
@pytest.mark.parametrize("numbers", [range(12), [0, 2, 3, *range(5, 14)]])
def test_rows_by_their_numbers_are_told_from_columns(load, orient, names, numbers):
    frame = pd.DataFrame(np.arange(24.0).reshape(12, 2), numbers, names)
    check(load(frame.to_json(orient=orient)), names, frame.to_numpy())


@pytest.mark.parametrize("write", BINARY)
def test_a_table_that_is_no_text_has_no_separator(load, frame, write):
    with pytest.raises(ValueError, match="no text table"):
        load(write(frame), "table.dat", sep=";")


def test_the_sheet_is_told(load, frame):
    assert "sheet data, not notes" in load(as_excel(frame), "t.xlsx").notes


def as_workbook(**sheets):
    stream = io.BytesIO()
    with pd.ExcelWriter(stream) as writer:
        for title, rows in sheets.items():
            cells = pd.DataFrame(rows)
            cells.to_excel(writer, sheet_name=title, index=False, header=False)
    return stream.getvalue()


def test_the_first_sheet_that_has_a_table_is_read_unless_one_is_named(load):
    book = as_workbook(
        Info=[["Report", "of May"], ["Site", "north"]],
        Data=[["v", "w"], [1.5, 2], [2.5, 3]],
        More=[["x"], [7], [8]],
        Empty=[],
    )
    series = load(book, "t.xlsx")
    check(series, ["v", "w"], [[1.5, 2], [2.5, 3]])
    assert series.notes == ("sheet Data, not Info, More",)
    check(load(book, "t.xlsx", sheet="More"), ["x"], [[7], [8]])
    with pytest.raises(ValueError, match=r"no line has numbers .* sheets 'Info'$"):
        load(book, "t.xlsx", sheet="Info")
    with pytest.raises(ValueError, match="Empty is empty"):
        load(book, "t.xlsx", sheet="Empty")
    with pytest.raises(ValueError, match="no sheet 'May', only 'Info', 'Data', 'More'"):
        load(book, "t.xlsx", sheet="May")
    words = as_workbook(Info=[["Report", "of May"]], Names=[["a"], ["b"]])
    with pytest.raises(ValueError, match="in any of the sheets 'Info', 'Names'"):
        load(words, "t.xlsx")
    with pytest.raises(ValueError, match="no workbook that has the sheet 'Data'"):
        load(PLAIN, sheet="Data")


def test_a_sheet_that_is_left_open_is_not_passed_over(load):
    book = as_workbook(A=[["v"], ["1,234"], ["2,345"]], B=[["v"], [1], [2]])
    with pytest.raises(ValueError, match=r"t\.xlsx, A: numbers such as 1,234"):
        load(book, "t.xlsx")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"time": "2024-01-01", "v": 1}\n{"time"', "cannot be read"),
        ("[1, 2, 3]", "object with named values"),
        ('{"v": ["a", 1]}\n{"v": ["a", 2]}\n', "must be numeric"),
        (b"PAR1 and nothing more", "cannot be read"),
        (b"\xd0\xcf\x11\xe0 and nothing more", "table.csv"),
        ("<html><body>404</body></html>", "no line has numbers or times"),
        (bytes(range(32)), "control character"),
        ("1.5 " * 60_000, "a line for each timestamp"),
        ("v\n" + "9" * 400 + "\n1\n2\n", r"must be numeric, got '?9{20,60}\.\.\."),
        ("v\n1\ninf\n2\n", "column 'v' is infinite in line 3"),
        # Older versions of pandas leave it as it is written.
        ("v\n1\n1e999\n2\n", r"column 'v' .*in line 3"),
        ("a,b\n1,2\n3\n4,5\n6,7\n8,9\n", "line 3 has 1 fields instead of 2"),
        ("flow\n1,5\n2,5\n", "1 names for 2 columns; if the comma is a decimal mark"),
        ('a,b\n1,2\n3,"4\n', r"table\.csv"),
        ('a,b\n"' + ("1" * 1000 + "\n") * 190, r"table\.csv is not a CSV file: field"),
    ],
)
def test_what_is_no_table_is_an_error_that_says_why(load, content, message):
    with pytest.raises(ValueError, match=message):
        load(content)


# Headers and names


def test_names_may_be_numbers(load):
    check(load("time,101,102\n2024-01-01,1,2\n"), ["101", "102"], [[1, 2]])
    text = pd.DataFrame([[1.5, 2.5]] * 3).to_csv(index=False)
    check(load(text), ["0", "1"], [[1.5, 2.5]] * 3)


def test_without_a_header_channels_are_numbered(load):
    check(load("1,2\n3,4\n"), ["channel_0", "channel_1"], [[1, 2], [3, 4]])


def test_columns_of_one_name_are_kept_apart(load):
    series = load("a,a,a.1\n1,2,3\n4,5,6\n")
    check(series, ["a", "a.2", "a.1"], [[1, 2, 3], [4, 5, 6]])


def test_a_name_may_span_lines(load):
    check(load('time,"flow\n(l/min)"\n2024-01-01,1\n'), ["flow (l/min)"], [[1]])


def test_names_units_and_statistics_of_a_logger_are_told_apart(load):
    series = load(
        '"TOA5","CR1000","x"\n"TIMESTAMP","RECORD","T_Avg"\n"TS","RN","Deg C"\n'
        '"","","Avg"\n"2024-01-01 00:00:00",0,1.5\n"2024-01-01 00:01:00",1,"NAN"\n'
    )
    check(series, ["T_Avg"], [[1.5], [NAN]])
    assert "skipped: TS, RN, Deg C" in series.notes


# Between the rows and below them

DAYS = [f"{day:02}.05.2024;{day},5;{-day}" for day in range(1, 31)]
TAILS = [
    "Mittelwert;20,0;7,0",
    ";;\nMittelwert;20,0;7,0\n\nMax;23,2;7,3\n",
    "Ende des Exports\n",
    "Summe: 30; alle\n\n",
]


@pytest.mark.parametrize("head", ["Zeit;a;b", "Zeit;a;b\n;bar;°C", '"Zeit";"a";"b"'])
@given(
    breaks=st.sets(st.integers(1, 29), max_size=3),
    tail=st.sampled_from(["", "\n", *TAILS, "31.05.2024", "31.05.2024;7\t"]),
    title=st.sampled_from(["", "sep=;\n", "Pumpe 7;;\n\n", "# Pumpe 7\n"]),
)
def test_what_exports_put_between_and_below_the_rows_is_no_row(
    head, breaks, tail, title
):
    lines = [
        line
        for row, day in enumerate(DAYS)
        for line in ([head, day] if row in breaks else [day])
    ]
    text = "\n".join([title + head, *lines, tail])
    series = load_series(io.BytesIO(text.encode()))
    days = pd.date_range("2024-05-01", periods=30)
    numbers = np.arange(1.0, 31)
    check(series, ["a", "b"], np.column_stack([numbers + 0.5, -numbers]), days)
    notes = " ".join(series.notes)
    assert ("header again" in notes) == bool(breaks)
    if breaks:
        line = (title + head).count("\n") + min(breaks) + 2
        assert f"lines left out, header again: {line}" in notes
    for quoted in tail.strip("\n").split("\n"):
        assert not quoted.strip(";") or repr(quoted) in notes
    assert ("cut off" in notes) == tail.startswith("31")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Mittelwert;20,0;7,0", "Zeit: 'Mittelwert' in line 11 is not a time"),
        ("Zeit;a;c", "Zeit: 'Zeit' in line 11 is not a time"),
        ("31.05.2024;7", "line 11 has 2 fields instead of 3"),
        (";7;8", "Zeit: the time of line 11 is missing"),
        ("31.05.2024;7;x", "'b' must be numeric, got 'x' in line 11"),
        ("31.02.2024;7;8", "Zeit: '31.02.2024' in line 11 is not a date"),
    ],
)
def test_a_bad_line_between_the_rows_is_an_error_that_names_it(load, line, message):
    text = "\n".join(["# Pumpe 7", "Zeit;a;b", *DAYS[:8], line, *DAYS[8:], ""])
    with pytest.raises(ValueError, match=message):
        load(text)


@pytest.mark.parametrize(
    ("end", "message"),
    [
        (6 * "Summe;1;2\n", "'Summe' in line 32 is not a time"),
        (";7;8\n", "the time of line 32 is missing"),
        ("31.05.2024;7\n", "line 32 has 2 fields instead of 3"),
        ("31.02.2024;7;8\n", "'31.02.2024' in line 32 is not a date"),
    ],
)
def test_rows_that_may_be_damaged_are_no_footer(load, end, message):
    with pytest.raises(ValueError, match=message):
        load("\n".join(["Zeit;a;b", *DAYS, end]))


def test_a_footer_below_times_that_are_numbers_is_no_row(load):
    text = "time,v\n" + "".join(f"{row / 2},{row}\n" for row in range(40))
    series = load(text + "mean,19.5\n")
    np.testing.assert_array_equal(series.values.ravel(), np.arange(40))
    assert series.notes[-1] == "lines left out, footer: 'mean,19.5'"


def test_lines_within_quotes_are_no_footer_and_keep_their_numbers(load):
    rows = [f'2024-01-{day:02},"{day}\nok",{day}\n' for day in range(1, 21)]
    text = "time,note,v\n" + "".join(rows)
    check(load(text, columns=["v"]), ["v"], np.arange(1.0, 21)[:, np.newaxis])
    with pytest.raises(ValueError, match="'2024-02-30' in line 42 is not a date"):
        load(text + '2024-02-30,"ok",7\n', columns=["v"])
    cut = load(text + '2024-01-21,"o', columns=["v"])
    assert len(cut.values) == 20
    assert "lines left out, cut off: '2024-01-21,\"o'" in cut.notes


def test_few_rows_show_what_a_table_is_whatever_is_below_and_between_them(load):
    for head, sep in (("Zeit;T (°C);b", ";"), ("Zeit\tT (°C)\tb", "\t")):
        rows = [day.replace(";", sep) for day in DAYS[:8]]
        text = "\n".join([head, *rows[:5], head, *rows[5:], "09.05.20"])
        assert load(text).values.shape == (8, 2)


def test_a_header_of_numbers_alone_is_not_looked_for_among_the_rows(load):
    text = "101,102\n" + "1.5,2.5\n" * 9 + "101,102\n1.5,2.5\n"
    assert len(load(text).values) >= 11


# Cells


def test_words_for_no_value_are_missing_values(load):
    words = ["-", "Bad Input", "N/A", "", "#N/A", "NaN", "I/O Timeout", "?", "NULL"]
    text = "time,v\n" + "".join(
        f"2024-01-{day:02},{word}\n" for day, word in enumerate(words, 1)
    )
    series = load(text + "2024-01-10,7\n")
    check(series, ["v"], [[NAN]] * len(words) + [[7]])
    assert "4 bad cells are missing values" in series.notes


def test_an_empty_line_of_a_single_column_is_a_missing_value(load):
    check(load("v\n1\n\n3\n"), ["v"], [[1], [NAN], [3]])
    check(load('v\n1\n""\n3\n'), ["v"], [[1], [NAN], [3]])


def test_lines_of_separators_at_the_end_are_no_rows(load):
    check(load("time;a\n2024-01-01;1\n2024-01-02;2\n;\n;\n"), ["a"], [[1], [2]])


def test_how_much_of_which_channel_is_missing_is_noted(load):
    rows = [
        f"2024-01-01 {i // 60:02}:{i % 60:02},{i},{'' if i % 4 else i},"
        f"{'' if i == 7 else i},{i if i == 7 else ''},"
        for i in range(250)
        if i != 100
    ]
    text = "\n".join(["time,a,b,c,d,e", *rows])
    series = load(text)
    assert series.notes == (
        "every 1 min",
        "1 missing rows are missing values",
        "missing: more than 99% of d, 75% of b, less than 1% of c",
    )
    assert load(text, columns=["a", "c"]).notes[-1] == "missing: less than 1% of c"
    assert load(text, columns=["a"]).notes[-1] == "1 missing rows are missing values"
    names = [f"c{i}" for i in range(9)]
    many = load("\n".join([",".join(names), ",".join("1" * 9), "1" + 8 * ","]))
    assert many.notes == ("missing: 50% of c1, 50% of c2, 50% of c3 and 5 others",)


def test_truth_values_are_numbers(load):
    check(load("on,v\nTrue,1\nFalse,2\n"), ["on", "v"], [[1, 1], [0, 2]])


def test_a_column_of_text_is_refused_or_left_out(load):
    text = "time,state,v\n2024-01-01,on,1\n2024-01-02,off,2\n"
    with pytest.raises(ValueError, match=r"'state'.*'on' in line 2; --drop-non-num"):
        load(text)
    series = load(text, drop_non_numeric=True)
    check(series, ["v"], [[1], [2]])
    assert "not numeric, left out: state" in series.notes
    check(load(text, columns=["v"]), ["v"], [[1], [2]])
    with pytest.raises(ValueError, match="no column 'state' of values, only v"):
        load(text, columns=["state"])
    with pytest.raises(ValueError, match="a sequence of names, got 'v'"):
        load(text, columns="v")


# Labels


@pytest.mark.parametrize(
    ("header", "labels"),
    [
        ("anomaly,changepoint", [0, 0, 1]),
        ("changepoint,other_changepoint", [0, 1, 1]),
        ("label,is_anomaly", [0, 1, 1]),
        ("is_anomaly,is_anomaly-0", [0, 1, 1]),
        ("isOutlier,Ground Truth", [0, 1, 1]),
        ("Normal/Attack,fault", [0, 1, 1]),
    ],
)
def test_columns_of_labels_are_never_channels(load, header, labels):
    series = load(f"v,{header}\n1,0,0\n2,0,1\n3,1,1\n")
    check(series, ["v"], [[1], [2], [3]])
    np.testing.assert_array_equal(series.labels, labels)
    assert f"labels: {header.replace(',', ', ')}" in series.notes


def test_labels_may_be_words(load):
    series = load("v,Normal/Attack\n1,Normal\n2,Attack\n3,A ttack\n")
    np.testing.assert_array_equal(series.labels, [0, 1, 1])


def test_a_fault_that_is_measured_is_a_channel(load):
    check(load("fault_current,v\n5,1\n6,2\n"), ["fault_current", "v"], [[5, 1], [6, 2]])


def test_a_column_named_like_labels_is_no_channel(load):
    with pytest.raises(ValueError, match=r"taken for labels by its name.*got 0\.2"):
        load("v,anomaly_score\n1,0.2\n2,0.5\n")


@pytest.mark.parametrize(
    ("name", "cells"),
    [("anomaly_score", ("0.2", "0.5")), ("label", ("0", "")), ("outlier", ("x", "y")),
     ("peak", ("inf", "1")), ("state", ("on", "off"))],
)  # fmt: skip
def test_of_columns_that_are_not_asked_for_nothing_matters(load, name, cells):
    text = f"v,{name},is_anomaly\n1,{cells[0]},0\n2,{cells[1]},1\n"
    series = load(text, columns=["v"])
    check(series, ["v"], [[1], [2]])
    np.testing.assert_array_equal(series.labels, [0, 1])
    with pytest.raises(ValueError, match=f"column '{name}' "):
        load(text)


def test_a_column_named_like_labels_can_be_asked_for(load):
    text = "v,anomaly_score\n1,0.2\n2,0.5\n"
    with pytest.raises(ValueError, match=r"got 0\.2; --column NAME \(columns\) says"):
        load(text)
    check(load(text, columns=["anomaly_score"]), ["anomaly_score"], [[0.2], [0.5]])
    assert load(text, columns=["v"]).notes == ("not used: anomaly_score",)


# Drawn tables


@pytest.mark.parametrize("number", range(60))
def test_a_drawn_table_is_read_right_or_refused(tmp_path, number):
    table = draw_table(random.Random(number))
    outcome, message = judge(table, tmp_path)
    assert outcome in ("read right", "refused"), (message, table.traits)


@pytest.mark.parametrize("number", range(60))
def test_a_damaged_table_is_read_or_refused(tmp_path, number):
    rng = random.Random(number)
    table = draw_table(rng)
    table.data, table.damaged = damage(rng, table.data), True
    outcome, message = judge(table, tmp_path)
    assert outcome != "failure", (message, table.traits)
