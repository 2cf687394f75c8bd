"""Tables for the metadata of the UI."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

SHOWN_CHARACTERS = 80


def shown(value: Any, characters: int = SHOWN_CHARACTERS) -> str:
    """A value as people read it, cut where it is long."""
    text = "null" if value is None else value.isoformat(" ") if hasattr(value, "hour") else str(value)
    return text if len(text) <= characters else text[: characters - 1] + "…"


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows as a markdown table; values may hold anything."""
    lines = [columns, ["---"] * len(columns), *([_cell(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: Any) -> str:
    # Cut first: an escape must not be cut in two.
    text = " ".join(shown(value).splitlines())
    return text.replace("\\", "\\\\").replace("|", "\\|")
