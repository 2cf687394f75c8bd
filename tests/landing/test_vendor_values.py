"""Times, null words and ids as vendors' exports and people's libraries write them, in every format; and what is still refused."""

from __future__ import annotations

import ast
import json
import re
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest

from sessionization_dagster.dbt.project import PROJECT_DIR
from sessionization_dagster.landing import RawColumn, RawTable, rules
from tests.landing.conftest import Case

CALLS = RawTable(
    "shop",
    "tracks",
    (
        RawColumn("id", "VARCHAR", required=True, event_id=True),
        RawColumn("anonymous_id", "VARCHAR", identifier=True),
        RawColumn("user_id", "VARCHAR", identifier=True),
        RawColumn("timestamp", "TIMESTAMP", required=True),
        RawColumn("received_at", "TIMESTAMP"),
        RawColumn("country", "VARCHAR"),
        RawColumn("price", "DOUBLE"),
    ),
    at="timestamp",
)
NOON = "2024-03-04T12:00:00Z"
NULL_WORDS = ["NULL", "null", "\\N", "None", "NaT", "", "  ", " null "]


@pytest.fixture
def shop(tmp_path: Path) -> Case:
    return Case(tmp_path / "landing", tables=(CALLS,))


def as_csv(rows: list[dict[str, str]]) -> str:
    header = list(rows[0])
    lines = [",".join(f'"{row[name]}"' for name in header) for row in rows]
    return "\n".join([",".join(header), *lines, ""])


def as_jsonl(rows: list[dict[str, str]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def as_parquet(rows: list[dict[str, str]]) -> pa.Table:
    return pa.Table.from_pylist(rows)


FORMATS = [("a.csv", as_csv), ("a.jsonl", as_jsonl), ("a.parquet", as_parquet)]


@pytest.mark.parametrize(("name", "write"), FORMATS)
def test_null_words_are_no_value_where_a_column_may_be_absent(shop: Case, name: str, write: object) -> None:
    rows = [
        {"id": f"e{n}", "anonymous_id": "a", "user_id": word, "timestamp": NOON, "received_at": word, "country": word, "price": word}
        for n, word in enumerate(NULL_WORDS)
    ]  # fmt: skip
    shop.write(name, write(rows))  # type: ignore[operator]
    assert shop.land().problems == []
    assert shop.query("select distinct user_id, received_at, country, price from raw.shop_tracks") == [(None,) * 4]


@pytest.mark.parametrize(("name", "write"), FORMATS)
def test_null_words_are_text_in_a_required_column_and_no_time(shop: Case, name: str, write: object) -> None:
    rows = [{"id": "null", "timestamp": NOON}, {"id": "e", "timestamp": "null"}]
    shop.write(name, write(rows))  # type: ignore[operator]
    shop.land()
    assert shop.query("select id from raw.shop_tracks") == [("null",)]
    assert len(shop.query("select error from raw.landing_rejects where error like '%timestamp%null%'")) == 1


@pytest.mark.parametrize(("name", "write"), FORMATS)
def test_ids_have_no_blanks_around_them_and_42_0_is_42(shop: Case, name: str, write: object) -> None:
    """Also in text: pandas writes a csv column of whole numbers with missing ones as floats. Only ids are read so."""
    ids = {
        "42": "42", "42.0": "42", " 42.00 ": "42", "42.5": "42.5", "007.0": "007.0", "1.0.0": "1.0.0",
        "\tann ": "ann", "0": "0", "10": "10",
    }  # fmt: skip
    rows = [{"id": id_, "user_id": id_, "timestamp": NOON, "country": " 42.0"} for id_ in ids]
    shop.write(name, write(rows))  # type: ignore[operator]
    assert shop.land().problems == []
    expected = [(clean, clean, " 42.0") for clean in ids.values()]
    assert shop.query("select id, user_id, country from raw.shop_tracks order by source_row") == expected


def test_numbers_in_parquet_and_json_are_moments_by_their_size(shop: Case) -> None:
    numbers = {
        1709544600: datetime(2024, 3, 4, 9, 30),
        1709544600123: datetime(2024, 3, 4, 9, 30, 0, 123000),
        1709544600123456: datetime(2024, 3, 4, 9, 30, 0, 123456),
    }
    count = len(numbers)
    shop.write("a.parquet", pa.table({"id": ["i"] * count, "timestamp": list(numbers)}))
    shop.write("b.parquet", pa.table({"id": ["f"], "timestamp": [1709544600.123]}))
    shop.write("c.jsonl", "".join(f'{{"id": "j", "timestamp": {number}}}\n' for number in numbers))
    shop.write("d.parquet", pa.table({"id": ["none"] * 3, "timestamp": [1, 17095446001, -1709544600]}))
    shop.land()
    found = shop.query("select timestamp from raw.shop_tracks order by source_file, source_row")
    fraction = datetime(2024, 3, 4, 9, 30, 0, 123000)
    assert [at for (at,) in found] == [*numbers.values(), fraction, *numbers.values()]
    assert shop.query("select distinct source_file, count(*) from raw.landing_rejects group by 1") == [
        ("shop/tracks/d.parquet", 3)
    ]


def test_columns_that_nobody_filled_may_be_absent(shop: Case) -> None:
    """A loader makes a column when it first has a value."""
    shop.write("a.csv", f"id,timestamp\ne,{NOON}\n")
    assert shop.land().problems == []
    assert shop.query("select id, anonymous_id, received_at from raw.shop_tracks") == [("e", None, None)]
    shop.write("b.csv", f"id,anonymous_id\ne,{NOON}\n")
    (problem,) = shop.land().problems
    assert "missing required column 'timestamp'" in problem


@pytest.mark.parametrize("ending", [".ndjson", ".json", ".ndjson.gz", ".json.gz"])
def test_json_lines_have_several_endings(shop: Case, ending: str) -> None:
    """BigQuery's exports are called bigquery-000000000000.json."""
    shop.write(f"bigquery-000000000000{ending}", as_jsonl([{"id": "e", "timestamp": NOON}]))
    assert shop.land().problems == []
    assert shop.query("select id from raw.shop_tracks") == [("e",)]


@pytest.mark.parametrize("macro", ["epoch_units", "null_words", "whole_with_fraction"])
def test_the_models_have_the_constants_of_landing(macro: str) -> None:
    text = (PROJECT_DIR / "macros" / "warehouse" / "raw_values.sql").read_text()
    (returned,) = re.findall(rf"macro {macro}\(\) -%}}\{{\{{ return\((.*)\) }}}}", text)
    found = ast.literal_eval(returned)
    assert (tuple(found) if isinstance(found, list) else found) == getattr(rules, macro.upper())
