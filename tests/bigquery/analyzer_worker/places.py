"""Places in a text of SQL: parts of the parser's tree, and the analyzer's line and column."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any


def span(node: Any) -> tuple[int, int]:
    """The first and the last byte of a part of the tree."""
    while "parse_location_range" not in node.DESCRIPTOR.fields_by_name:
        node = node.parent
    return node.parse_location_range.start, node.parse_location_range.end


def dots_in_quoted_names(node: Any, sql: bytes) -> Iterator[int]:
    """Places of `project.dataset.table` between one pair of backticks: one name to the analyzer, three to BigQuery."""
    if type(node).__name__ == "ASTIdentifierProto":
        if node.is_quoted and "." in node.id_string:
            start, end = span(node)
            yield from (start + found.start() for found in re.finditer(rb"\.", sql[start:end]))
        return
    for field, value in node.ListFields():
        if field.message_type is not None:
            for child in [value] if hasattr(value, "ListFields") else value:
                yield from dots_in_quoted_names(child, sql)


def offset(sql: bytes, line: int, column: int) -> int:
    """The byte that the analyzer's line and column (characters; a tab goes on to the next multiple of 8) mean."""
    lines = sql.split(b"\n")
    position = sum(len(text) + 1 for text in lines[: line - 1])
    at = 1
    for character in lines[line - 1].decode():
        if at >= column:
            break
        at += 8 - (at - 1) % 8 if character == "\t" else 1
        position += len(character.encode())
    return position


def shown(sql: bytes, position: int, message: str) -> str:
    """The message with the line and column of a byte, that line, and a mark below it."""
    before = sql[:position]
    start = before.rfind(b"\n") + 1
    end = sql.find(b"\n", position)
    line, column = before.count(b"\n") + 1, len(before[start:].decode())
    text = sql[start : end if end >= 0 else None].decode()
    return f"{message} [at {line}:{column + 1}]\n{text}\n{' ' * column}^"
