"""Words for no value, ids and numbers as times: one table of examples, in every format."""

from __future__ import annotations

import decimal
import json
from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest

from sessionization_dagster.landing import RawColumn, RawTable
from tests.landing.conftest import Case, parquet

TABLE = RawTable(
    "shop",
    "tracks",
    (
        RawColumn("id", "VARCHAR", required=True, event_id=True),
        RawColumn("user_id", "VARCHAR", identifier=True, names=("$user_id", "uid")),
        RawColumn("timestamp", "TIMESTAMP", required=True),
        RawColumn("received_at", "TIMESTAMP"),
        RawColumn("title", "VARCHAR"),
        RawColumn("price", "DOUBLE"),
        RawColumn("device", "JSON"),
    ),
)

#: Text in a file -> value of user_id, title, received_at and price; an error if it is not a value.
ERROR = "error"
TEXTS: dict[str, tuple[Any, Any, Any, Any]] = {
    "null": (None, None, None, None),
    "NULL": (None, None, None, None),
    "\\N": (None, None, None, None),
    "None": (None, None, None, None),
    "NaT": (None, None, None, None),
    "  ": (None, None, None, None),
    "\t": (None, None, None, None),
    "NaN": ("NaN", "NaN", None, None),
    "nullify": ("nullify", "nullify", ERROR, ERROR),
    " ann ": ("ann", " ann ", ERROR, ERROR),
    "42.0": ("42", "42.0", ERROR, 42.0),
    "42.00": ("42", "42.00", ERROR, 42.0),
    " -7.0\t": ("-7", " -7.0\t", ERROR, -7.0),
    "42.05": ("42.05", "42.05", ERROR, 42.05),
    "1.0.0": ("1.0.0", "1.0.0", ERROR, ERROR),
    "007.0": ("007.0", "007.0", ERROR, 7.0),
    "100": ("100", "100", ERROR, 100.0),
}


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("column", ["user_id", "title", "received_at", "price"])
def test_a_text_means_the_same_in_every_format(case: Case, ending: str, column: str) -> None:
    case.tables = [TABLE]
    rows = [{"id": f"n{number:02}", "timestamp": "2024-01-01", column: text} for number, text in enumerate(TEXTS)]
    if ending == "csv":
        lines = [",".join(f'"{value}"' for value in row.values()) for row in rows]
        case.write("a.csv", "\n".join([",".join(rows[0]), *lines]))
    elif ending == "jsonl":
        case.write("a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    else:
        case.write("a.parquet", pa.table({name: [row[name] for row in rows] for name in rows[0]}))
    case.land()
    found = dict(case.rows(f"id, {column}"))
    place = ("user_id", "title", "received_at", "price").index(column)
    expected = [values[place] for values in TEXTS.values()]
    assert [found.get(f"n{number:02}", ERROR) for number in range(len(TEXTS))] == expected
    assert len(case.rejects()) == expected.count(ERROR)


@pytest.mark.parametrize("column", ["id", "timestamp"])
def test_a_required_column_has_no_words_for_no_value(case: Case, column: str) -> None:
    case.tables = [TABLE]
    rows = [{"id": "1", "timestamp": "2024-01-01"} | {column: word} for word in ("null", "NaT", "\\N", "None")]
    case.write("a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    case.land()
    assert (case.rows("id"), len(case.rejects())) == (
        (["null", "NaT", "\\N", "None"], 0) if column == "id" else ([], 4)
    )


EXACT = datetime(2024, 3, 4, 9, 30, 0, 123456)
NUMBERS: dict[Any, Any] = {
    1709544600: datetime(2024, 3, 4, 9, 30),
    1709544600123: datetime(2024, 3, 4, 9, 30, 0, 123000),
    1709544600123456: EXACT,
    1709544600.123456: EXACT,
    1709544600123.456: EXACT,
    decimal.Decimal("1709544600.123456"): EXACT,
    1000000000: datetime(2001, 9, 9, 1, 46, 40),
    9999999999: datetime(2286, 11, 20, 17, 46, 39),
    999999999: ERROR,
    17095446001: ERROR,
    20240304: ERROR,
    1709544600123456789: ERROR,
    -1709544600: ERROR,
    0: ERROR,
}


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_numbers_are_times_by_their_length(case: Case, ending: str) -> None:
    case.tables = [TABLE]
    for place, number in enumerate(NUMBERS):
        if ending == "parquet":
            case.write(f"{place:02}.parquet", parquet(timestamp=[number]))
        else:
            case.write(f"{place:02}.jsonl", f'{{"id": "a", "timestamp": {number}}}\n')
    case.land()
    assert case.rows("timestamp") == [moment for moment in NUMBERS.values() if moment != ERROR]
    assert len(case.rejects()) == list(NUMBERS.values()).count(ERROR)
    assert "is not a time" in case.rejects("error")[0]


def test_numbers_in_text_columns_are_no_times(case: Case) -> None:
    case.tables = [TABLE]
    case.write("a.csv", "id,timestamp\na,1709544600\n")
    case.write("b.jsonl", '{"id": "b", "timestamp": "1709544600"}\n')
    case.land()
    assert (case.rows(), len(case.rejects())) == ([], 2)


def test_other_names_of_a_column(case: Case) -> None:
    case.tables = [TABLE]
    case.write("a.csv", "id,timestamp,uid,$user_id\n1,2024-01-01,second,first\n")
    case.write("b.jsonl", '{"id": "2", "uid": "x", "$user_id": null}\n{"id": "3", "$user_id": "y", "user_id": "z"}\n')
    case.write("c.parquet", parquet(**{"id": ["4"], "$USER_ID": ["w"]}).drop_columns(["user_id"]))
    assert case.land().problems == []
    assert case.rows("id, user_id, properties") == [
        ("1", "first", '{"uid":"second"}'), ("2", "x", None), ("3", "z", '{"$user_id":"y"}'), ("4", "w", None),
    ]  # fmt: skip


def test_a_vendors_reserved_name_counts_before_a_property_of_the_columns_name(case: Case) -> None:
    columns = (
        TABLE.columns[0],
        RawColumn("user_id", "VARCHAR", identifier=True, reserved="$user_id"),
        TABLE.columns[2],
    )
    case.tables = [RawTable("shop", "tracks", columns, unnest="properties")]
    both, one = '{"$user_id": "ann", "user_id": 7}', '{"$user_id": null, "user_id": "bob"}'
    case.write("a.jsonl", f'{{"id": "1", "properties": {both}}}\n{{"id": "2", "properties": {one}}}\n')
    case.write("b.csv", "id,timestamp,user_id,$user_id\n3,2024-01-01,7,ann\n")
    assert case.land().problems == []
    assert case.rows("id, user_id, properties") == [
        ("1", "ann", '{"user_id":7}'), ("2", "bob", None), ("3", "ann", '{"user_id":"7"}'),
    ]  # fmt: skip


def test_records_that_have_their_fields_in_one_object(case: Case) -> None:
    case.tables = [RawTable("shop", "tracks", TABLE.columns, unnest="properties")]
    nested = '{"title": "outer", "properties": {"id": "1", "title": "inner", "deep": {"x": null}, "n": 1.50}}\n'
    case.write("a.jsonl", nested + '{"id": "2", "properties": "text"}\n{"id": "3", "flat": true}\n')
    case.write("b.jsonl", nested + "broken\n")
    case.write("c.csv", 'event,properties\ne,"{""id"": ""4""}"\n')
    case.land()
    assert case.rows("id, title, properties") == [
        ("1", "outer", '{"deep":{"x":null},"n":1.5}'), ("2", None, '{"properties":"text"}'), ("3", None, '{"flat":true}'),
        ("1", "outer", '{"deep":{"x":null},"n":1.5}'),
    ]  # fmt: skip
    assert len(case.rejects()) == 2
    assert (
        "'properties' are read of JSON alone: write JSON lines, or a column for each field" in case.rejects("error")[1]
    )
