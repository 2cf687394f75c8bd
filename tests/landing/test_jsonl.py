"""jsonl files: what becomes a column, what a property, and which line is named when it cannot be read."""

from __future__ import annotations

import json

import pytest

from sessionization_dagster.landing import delimited, rows
from tests.landing.conftest import Case
from tests.landing.test_csv import forbid

TIME = '"timestamp": "2024-01-01T00:00:00Z"'


def test_clean_files_take_the_vectorised_path(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "load_row_by_row", forbid)
    case.write("a.jsonl", '{"id": "a", "more": 1}\n\n{"id": "b"}\r\n'.replace("\r\n", "\n"))
    case.write("b.jsonl.gz", '\ufeff{"id": "c"}\n  {"id": "d"}  ')
    case.write("c.jsonl", '{"id": "e"}\r\n{"id": "f"}\r\n')
    assert case.land().problems == []
    assert case.rows("id, source_row") == [("a", 1), ("b", 2), ("c", 1), ("d", 2), ("e", 1), ("f", 2)]


def test_every_kind_of_broken_line_is_named(case: Case) -> None:
    lines = [
        b'{"id": "a"}',
        b'{"id": ',
        b"",
        b"[1, 2]",
        b"42",
        b"null",
        b'{"id": "\xff"}',
        b'{"id": "x", "timestamp": "yesterday"}',
        b'{"id": "x"} {"id": "y"}',
        b'{"id": "x",}',
        b'{"price": NaN}',
        b'{"device": {"x": -Infinity}}',
        b"  \t",
        b'{"id": "\\ud800"}',
        b'{"quantity": 1.5}',
        b'{"id": "NaN ,]"}',
    ]
    case.write("a.jsonl", b"\n".join(lines))
    report = case.land_tracks()
    assert (report.rows_loaded, report.rows_rejected) == (2, 12)
    assert case.rows("id, source_row") == [("a", 1), ("NaN ,]", 14)]
    assert case.rejects("source_line") == [2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15]
    assert case.rejects("content")[:5] == ['{"id": ', "[1, 2]", "42", "null", '{"id": "\\xff"}']
    errors = case.rejects("error")
    assert errors[0] == "is not JSON; write one object per line"
    assert errors[1] == "is JSON, but no object; write one object per line"
    assert errors[8] == "is not JSON (NaN is not a JSON number); write one object per line"


def test_values_that_are_not_text(case: Case) -> None:
    values = ["42", "true", "1.5", '"007"', '"1e5"', '""', "null", '{"b": [1, null]}', '"NULL"', '"\\u0000é"', '" a "']
    case.write("a.jsonl", "\n".join(f'{{"id": {value}}}' for value in values))
    assert case.land().problems == []
    assert case.rows() == ["42", "true", "1.5", "007", "1e5", "", None, '{"b":[1,null]}', "NULL", "\x00é", " a "]


def test_whole_numbers_as_ids_have_no_fraction(case: Case) -> None:
    values = ["42.0", "-7.00", "42.05", '"42.0"', '{"n": 42.0}']
    case.write("a.jsonl", "\n".join(f'{{"id": {value}}}' for value in values))
    assert case.land().problems == []
    assert case.rows() == ["42", "-7", "42.05", "42.0", '{"n":42.0}']


def test_typed_columns(case: Case) -> None:
    case.write(
        "a.jsonl",
        '{"quantity": 3, "price": 2, "device": {"os": null}}\n'
        '{"quantity": "3", "price": "2.5e3", "device": "phone"}\n'
        '{"quantity": 3.0, "price": null, "device": [1]}\n'
        '{"quantity": "", "price": " ", "device": null}\n',
    )
    assert case.land().problems == []
    assert case.rows("quantity, price, device") == [
        (3, 2.0, '{"os":null}'),
        (3, 2500.0, '"phone"'),
        (3, None, "[1]"),
        (None, None, None),
    ]


def test_absent_keys_are_null_and_the_others_are_properties(case: Case) -> None:
    case.write(
        "a.jsonl", '{"id": "a", "n": 1, "o": {"x": null, "y": [1, "é"]}, "z": null}\n{"": 1}\n{}\n{"b/~\\"": false}\n'
    )
    assert case.land().problems == []
    properties = case.rows("properties")
    assert [text and json.loads(text) for text in properties] == [
        {"n": 1, "o": {"x": None, "y": [1, "é"]}},
        {"": 1},
        None,
        {'b/~"': False},
    ]


@pytest.mark.parametrize("broken", ["", "x\n"])
def test_spellings_of_a_key_are_chosen_per_line(case: Case, broken: str) -> None:
    lines = ['{"ID": "a"}', '{"id": "b", "ID": "B"}', '{"Id": "c", "ID": "C"}', '{"id": null, "Id": "d"}']
    case.write("a.jsonl", broken + "\n".join(lines))
    case.land()
    assert case.rows("id, properties") == [("a", None), ("b", '{"ID":"B"}'), ("C", '{"Id":"c"}'), ("d", None)]


@pytest.mark.parametrize("broken", ["", "x\n"])
def test_files_with_very_many_keys(case: Case, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    monkeypatch.setattr(rows, "MAX_KEYS", 5)
    monkeypatch.setattr(delimited, "MAX_KEYS", 5)
    wide = json.dumps({f"k{number}": number for number in range(9)})
    case.write("a.jsonl", broken + "".join(f'{{"id": "{n}", "p{n}": {n}}}\n' for n in range(20)) + wide)
    case.land()
    assert case.rows() == [str(number) for number in range(20)] + [None]
    assert case.rows("properties")[-2:] == ['{"p19":19}', wide.replace(" ", "")]
    assert len(case.rejects()) == bool(broken)


def test_an_empty_file_is_set_aside_and_a_blank_one_has_no_rows(case: Case) -> None:
    case.write("a.jsonl", "")
    case.write("b.jsonl", "\n\n")
    case.write("c.jsonl", "{}\n")
    report = case.land_tracks()
    assert (report.files_loaded, report.files_unreadable, report.rows_loaded) == (2, 1, 1)


def test_a_return_inside_a_line_is_json_white_space(case: Case) -> None:
    case.write("a.jsonl", '{"id":\r"a"}\n{"id": "b"}\n')
    case.write("b.jsonl", '{"id": "c"}\r{"id": "d"}\r')
    assert case.land().problems == []
    assert case.rows() == ["a", "b", "c", "d"]
