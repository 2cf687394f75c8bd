"""Reads JSON that is not one object per line, record by record: an array of objects, or objects over several lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TextIO

from sessionization_dagster.landing.row_by_row import Record, json_record
from sessionization_dagster.landing.text import MAX_LINE_CHARACTERS

CHUNK_CHARACTERS = 2**20
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[][{},]|[^][{},"]++', re.DOTALL)
_OPENING, _CLOSING = "{[", "}]"
NEVER_CLOSED = "is cut off: an array is opened and never closed; write the file again"


def json_records(stream: TextIO) -> Iterator[Record]:
    """One record per element of the arrays, and per object outside of an array. DuckDB checks whether it is an object."""
    for number, (line, content, error) in enumerate(_elements(stream), start=1):
        yield json_record(number, line, content, error)


def _elements(stream: TextIO) -> Iterator[tuple[int, str, str | None]]:
    """(line on which it starts, text, error) of each element."""
    parts: list[str] = []
    depth = size = 0
    line = start = 1
    in_array = False
    for token in _tokens(stream):
        is_blank = not token.strip()
        if depth == 0 and not in_array and token == "[":
            in_array = True
        elif depth == 0 and (token == "," or (in_array and token == "]")):
            in_array = in_array and token == ","
        elif depth or not is_blank:
            start = start if depth else line + token[: len(token) - len(token.lstrip())].count("\n")
            depth += (token in _OPENING) - (token in _CLOSING)
            size += len(token)
            if size < MAX_LINE_CHARACTERS:
                parts.append(token)
            if depth <= 0:
                yield start, "".join(parts).strip(), _too_long(size)
                parts, depth, size = [], 0, 0
        line += token.count("\n")
    if parts:
        yield start, "".join(parts).strip(), _too_long(size)
    if in_array:
        yield line, "[", NEVER_CLOSED


def _too_long(size: int) -> str | None:
    return f"is longer than {MAX_LINE_CHARACTERS} characters; split it" if size >= MAX_LINE_CHARACTERS else None


def _tokens(stream: TextIO) -> Iterator[str]:
    """Strings, brackets, commas and what is between them."""
    rest = ""
    while chunk := stream.read(CHUNK_CHARACTERS):
        text = rest + chunk
        end = 0
        for found in _TOKEN.finditer(text):
            # A token at the end may continue in the next chunk.
            if found.end() == len(text):
                break
            yield found[0]
            end = found.end()
        rest = text[end:]
        if len(rest) > MAX_LINE_CHARACTERS:
            yield rest
            rest = ""
    yield from (found[0] for found in _TOKEN.finditer(rest))
