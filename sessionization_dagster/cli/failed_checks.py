"""A check that did not pass, in lines for people: what it found, what it asks for, and the first rows."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

#: Lines of a Markdown table: the columns' names, and after a line of dashes the first rows.
NAMES, FIRST_ROWS = slice(0, 1), slice(2, 5)


def lines_of(check: dg.AssetCheckEvaluation, asks_for: str | None) -> Iterator[str]:
    """The check's lines. asks_for is its description. A description of the result takes its place."""
    numbers = [
        f"{name} {value.value}"
        for name, value in check.metadata.items()
        if isinstance(value, dg.IntMetadataValue) and value.value and "/" not in name
    ]
    yield f"  {check.check_name} of {check.asset_key.to_user_string()}" + (f": {', '.join(numbers)}" if numbers else "")
    if said := check.description or asks_for:
        yield f"    {said}"
    for value in check.metadata.values():
        if isinstance(value, dg.MarkdownMetadataValue):
            table = value.value.splitlines()
            yield from (f"    {line}" for line in [*table[NAMES], *table[FIRST_ROWS]])
