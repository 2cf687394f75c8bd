from __future__ import annotations

from sessionization_dagster.markdown import markdown_table


def test_values_that_would_break_the_table_are_escaped_and_long_ones_cut() -> None:
    rows = [
        {"id": 1, "text": "a|b\nc <b>", "nested": {"name": "x" * 80}, "nothing": None},
        {"id": 2, "text": "é" * 60, "nested": [1, 2], "nothing": "y" * 61},
    ]
    assert markdown_table(rows).split("\n") == [
        "| id | text | nested | nothing |",
        "| --- | --- | --- | --- |",
        '| 1 | a\\|b c &lt;b> | {"name": "' + "x" * 49 + "… |  |",
        "| 2 | " + "é" * 60 + " | [1, 2] | " + "y" * 59 + "… |",
    ]
