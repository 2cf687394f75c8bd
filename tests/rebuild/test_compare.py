"""Rows that differ, in text for people."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sessionization_dagster.rebuild.compare import differences

COLUMNS = ("id", "at", "records")
AT = datetime(2024, 3, 10, 12)


def row(number: int, **values: Any) -> dict[str, Any]:
    return {"id": number, "at": AT, "records": [{"url": "/", "n": 1.5}], "more": "not compared", **values}


def shown(stored: list[dict[str, Any]], recomputed: list[dict[str, Any]]) -> list[str]:
    return [str(difference) for difference in differences(stored, recomputed, ["id"], COLUMNS)]


def test_a_value_is_reported_with_its_row_and_both_sides() -> None:
    assert shown([row(1)], [row(1, at=AT.replace(hour=13))]) == [
        "id = 1: at is 2024-03-10 12:00:00, recomputed 2024-03-10 13:00:00"
    ]


def test_every_column_that_differs_is_reported_and_no_other() -> None:
    stored, recomputed = [row(1, at=None, more="x")], [row(1, records=None, more="y")]
    assert [text.split(" is ")[0] for text in shown(stored, recomputed)] == ["id = 1: at", "id = 1: records"]


def test_a_nested_difference_is_reported_with_the_way_to_it() -> None:
    other = [{"url": "/cart", "n": 1.5}]
    assert shown([row(1)], [row(1, records=other)]) == ["id = 1: records[0].url is /, recomputed /cart"]
    longer = [*other, *other]
    (text,) = shown([row(1)], [row(1, records=longer)])
    assert text.startswith("id = 1: records is [")


def test_rows_of_one_side_are_missing_or_surplus() -> None:
    assert shown([row(1)], [row(2)]) == [
        "id = 1: there is a row, recomputed no row",
        "id = 2: there is no row, recomputed a row",
    ]


def test_rows_that_share_a_key_are_reported_as_rows() -> None:
    found = differences([row(1), row(1, at=None)], [row(1, at=AT.replace(hour=1))], ["id"], COLUMNS)
    assert [difference.what for difference in found] == ["missing", "surplus", "surplus"]


def test_nan_is_the_same_as_nan() -> None:
    nan = float("nan")
    assert shown([row(1, at=nan)], [row(1, at=nan, records=None)]) == [
        'id = 1: records is [{"url": "/", "n": 1.5}], recomputed null'
    ]
