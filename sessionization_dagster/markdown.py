"""Rows as a table for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

LONGEST_VALUE = 60


def markdown_table(rows: Sequence[Mapping[str, Any]], longest_value: int | None = LONGEST_VALUE) -> str:
    """A Markdown table of rows with the same keys; longer values are cut."""
    head = list(rows[0])
    lines = [head, ["---"] * len(head), *([_cell(row[name], longest_value) for name in head] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: Any, longest: int | None) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    if longest is not None and len(text) > longest:
        text = text[: longest - 1] + "…"
    # A pipe would end the cell, and what looks like a tag would be one.
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
