"""Rows as a table for people, in the metadata of the UI."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

LONGEST_VALUE = 60


def shown(value: Any, longest: int | None = LONGEST_VALUE) -> str:
    """A value as text for people, cut to `longest` characters (None: never cut)."""
    if value is None:
        text = "null"
    elif hasattr(value, "hour"):
        text = value.isoformat(" ")
    elif isinstance(value, dict | list):
        text = json.dumps(value, ensure_ascii=False, default=str)
    else:
        text = str(value)
    return text if longest is None or len(text) <= longest else text[: longest - 1] + "…"


def markdown_table(columns: Sequence[str], rows: Iterable[Iterable[Any]], longest: int | None = LONGEST_VALUE) -> str:
    """A Markdown table. Values may hold any text, and are cut if they are longer than `longest`."""
    lines = [columns, ["---"] * len(columns), *([_cell(value, longest) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: Any, longest: int | None) -> str:
    # Cut before escaping, so that no escape is cut in two. An unescaped pipe would end the cell; unescaped markup would be rendered.
    text = " ".join(shown(value, longest).split())
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
