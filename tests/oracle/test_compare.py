"""What the comparison of two tables says."""

from datetime import date, datetime
from typing import Any

from .compare import difference


def text_of(expected: list[dict[str, Any]], actual: list[dict[str, Any]], limit: int = 5) -> str:
    """The differences by the key k, of which there are some."""
    text = difference(expected, actual, ["k"], limit=limit)
    assert text is not None
    return text


def test_equal_tables_in_another_order_do_not_differ() -> None:
    """Rows are a multiset."""
    rows: list[dict[str, Any]] = [{"k": 1, "v": 0.1}, {"k": 2, "v": None}, {"k": 2, "v": None}]
    assert difference(rows, rows[::-1], ["k"]) is None
    assert difference([], [], ["k"]) is None


def test_a_changed_value_is_shown_by_key_and_column() -> None:
    """One row against one row is shown column by column, times in plain text."""
    at, later = datetime(2024, 3, 10, 10), datetime(2024, 3, 10, 10, 0, 0, 1)
    text = difference([{"k": "a", "on": date(2024, 3, 10), "at": at}], [{"k": "a", "on": None, "at": later}], ["k"])
    assert text == (
        "expected 1 rows, found 1; 1 expected rows are missing, 1 were not expected\n"
        "  k=a\n"
        "    on: expected 2024-03-10, found None\n"
        "    at: expected 2024-03-10 10:00:00, found 2024-03-10 10:00:00.000001"
    )


def test_floats_are_compared_exactly() -> None:
    """The last bit counts; NaN equals NaN."""
    assert difference([{"k": 1, "v": 0.3}], [{"k": 1, "v": 0.1 + 0.2}], ["k"]) is not None
    assert difference([{"k": 1, "v": float("nan")}], [{"k": 1, "v": float("nan")}], ["k"]) is None


def test_missing_extra_and_doubled_rows_are_reported() -> None:
    """Each side's rows are named, a row too often is one not expected."""
    text = text_of([{"k": None}, {"k": "b"}], [{"k": "b"}, {"k": "b"}])
    assert "1 expected rows are missing, 1 were not expected" in text
    assert "  k=None\n    missing: k=None" in text
    assert "  k=b\n    not expected: k='b'" in text


def test_other_columns_are_a_difference_unless_columns_are_named() -> None:
    """A lacking column always is; one too many only without `columns`."""
    assert "beyond the others ['x']" in text_of([{"k": 1}], [{"k": 1, "x": 2}])
    assert "lacking ['v']" in text_of([{"k": 1, "v": 1}], [{"k": 1}])
    assert "lacking ['k']" in text_of([{"v": 1}], [{"v": 1}])
    assert difference([{"k": 1}], [{"k": 1, "x": 2}], ["k"], columns=["k"]) is None


def test_only_the_first_differences_are_reported() -> None:
    """Keys are in order and the rest is counted, whatever the types of the keys."""
    text = text_of([{"k": k} for k in (3, "x", None, 1)], [], limit=2)
    assert text.splitlines()[1::2] == ["  k=None", "  k=1", "... and 2 more keys"]


def test_nested_values_are_compared() -> None:
    """Structs and arrays are values too, arrays in their order."""
    assert difference([{"k": 1, "v": {"a": [1, 2], "b": 3}}], [{"k": 1, "v": {"b": 3, "a": [1, 2]}}], ["k"]) is None
    assert difference([{"k": 1, "v": [1, 2]}], [{"k": 1, "v": [2, 1]}], ["k"]) is not None
