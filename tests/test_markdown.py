from __future__ import annotations

from datetime import datetime

from sessionization_dagster.metadata.markdown import markdown_table


def test_values_that_would_break_the_table_are_escaped_and_long_ones_cut() -> None:
    rows = [
        (1, "a|b\\\nc <b>", {"name": "x" * 80}, None),
        (datetime(2024, 3, 10), "é" * 60, [1, 2], "y" * 61),
    ]
    assert markdown_table(["id", "text", "nested", "last"], rows).split("\n") == [
        "| id | text | nested | last |",
        "| --- | --- | --- | --- |",
        '| 1 | a\\|b\\\\ c &lt;b> | {"name": "' + "x" * 49 + "… | null |",
        "| 2024-03-10 00:00:00 | " + "é" * 60 + " | [1, 2] | " + "y" * 59 + "… |",
    ]
