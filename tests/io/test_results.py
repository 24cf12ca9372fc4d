import json

import pytest

from skcoad.io._results import append_result, drop_cut_off_line, read_results

RESULTS = [
    {"detector": "A", "series": "one", "value": 0.1},
    {"detector": "Ä\u2028B", "series": "two\n", "value": None},
]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "results.jsonl"
    for result in RESULTS:
        append_result(path, result)
    return path


def test_appended_results_are_read_back(file):
    assert read_results(file) == RESULTS


def test_a_file_cut_off_anywhere_keeps_its_complete_lines_and_can_be_added_to(file):
    whole = file.read_bytes()
    for length in range(len(whole) + 1):
        file.write_bytes(whole[:length])
        complete = RESULTS[: whole[:length].count(b"\n")]
        assert read_results(file) == complete
        drop_cut_off_line(file, first_key="detector")
        append_result(file, RESULTS[0])
        assert read_results(file) == [*complete, RESULTS[0]]


@pytest.mark.parametrize(
    ("line", "message"), [("{", "line 2: Expecting"), ("[]", "line 2: not a JSON obj")]
)
def test_an_invalid_line_is_an_error_that_names_it(file, line, message):
    file.write_text(json.dumps(RESULTS[0]) + "\n" + line + "\n")
    with pytest.raises(ValueError, match=message):
        read_results(file)


def test_a_deeply_nested_line_is_an_error(file):
    file.write_text("[" * 100_000 + "\n")
    with pytest.raises(ValueError, match="line 1: "):
        read_results(file)


def test_text_after_the_last_line_end_is_kept_unless_it_is_a_cut_off_result(file):
    with open(file, "a") as opened:
        opened.write("my notes")
    before = file.read_bytes()
    with pytest.raises(
        ValueError, match="not a results file, it ends with b'my notes'"
    ):
        drop_cut_off_line(file)
    assert file.read_bytes() == before


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_results(tmp_path / "missing.jsonl")


def test_nan_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        append_result(tmp_path / "results.jsonl", {"value": float("nan")})
