"""A check that did not pass, in lines for people: what it found, what it asks for, and the first rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import dagster as dg

#: Lines of a Markdown table: the columns' names, and after a line of dashes the first rows.
NAMES, FIRST_ROWS = slice(0, 1), slice(2, 5)


def shown(checks: Iterable[dg.AssetCheckEvaluation], graph: dg.AssetGraph) -> str:
    """The checks, each with the first rows that it found. graph has their descriptions."""
    return "".join(f"{line}\n" for check in checks for line in _lines(check, graph))


def _lines(check: dg.AssetCheckEvaluation, graph: dg.AssetGraph) -> Iterator[str]:
    numbers = [
        f"{name} {value.value}"
        for name, value in check.metadata.items()
        if isinstance(value, dg.IntMetadataValue) and value.value and "/" not in name
    ]
    yield f"  {check.check_name} of {check.asset_key.to_user_string()}" + (f": {', '.join(numbers)}" if numbers else "")
    # A run of chosen assets may have a check of another.
    key = check.asset_check_key
    asks_for = graph.get_check_spec(key).description if key in graph.asset_check_keys else None
    for said in (check.description or asks_for or "").splitlines():
        yield f"    {_printable(said)}"
    for value in check.metadata.values():
        if isinstance(value, dg.MarkdownMetadataValue):
            table = value.value.splitlines()
            yield from (f"    {_printable(_without_escapes(line))}" for line in [*table[NAMES], *table[FIRST_ROWS]])


def _printable(text: str) -> str:
    """The text with control characters written as escapes: data must not steer a terminal."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def _without_escapes(markdown: str) -> str:
    return re.sub(r"\\(.)", r"\1", markdown).replace("&lt;", "<")
