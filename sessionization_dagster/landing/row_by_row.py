"""Reads csv and jsonl row by row: slower than the vectorised readers, but exact about which line is broken.

The rules of csv are those of the vectorised reader (RFC 4180; a quote inside an unquoted field is a letter), so that a
record reads the same with either reader. Both also allow empty fields after the last column.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple, TextIO

from sessionization_dagster.landing.calls import no_constant
from sessionization_dagster.landing.file_errors import UnreadableFile
from sessionization_dagster.landing.text import (
    MAX_LINE_CHARACTERS,
    Line,
    Lines,
    is_blank,
    not_utf8,
    readable,
    without_end,
)

#: DuckDB's JSON functions accept this although it is not JSON: trailing commas and non-finite numbers.
LOOSE_JSON = r",\s*[}\]]|NaN|Infinity"

_TRAILING_COMMA = re.compile(r",\s*[}\]]")
# DuckDB ignores one space before a quote and any spaces after it. With two spaces before it, the quote is a letter.
_DELIMITER_NAMES = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}
_QUOTE_OPENS = re.compile(r' ?"')
_QUOTE_CLOSES = re.compile(r'(?:[^"]++|"")*+"')


class _Dialect:
    """Patterns that depend on the delimiter."""

    def __init__(self, delimiter: str) -> None:
        self.delimiter = delimiter
        field = rf'(?:"(?:[^"]++|"")*+"|[^"{delimiter}]*+)'
        end = re.escape(delimiter)
        #: A record of plain and properly quoted fields on one line. Python's csv reader splits it in the same way, but faster.
        self.plain_record = re.compile(f"{field}(?:{end}{field})*+")
        self.field_ends = re.compile(rf" *({end}|\Z)")


_dialect = lru_cache(_Dialect)

#: Text of the fields, empty ones None.
Fields = tuple[str | None, ...]


class Record(NamedTuple):
    r"""One data record.

    Attributes:
        number: the record's number, from 1. Broken records count, blank lines do not.
        line: the line of the file, from 1, on which the record starts.
        content: the text without the line end; bytes that are not UTF-8 are written as \xff.
        error: why the record is broken; None for a sound one.
        fields: the fields of a sound csv record.
    """

    number: int
    line: int
    content: str
    error: str | None
    fields: Fields = ()


class _Malformed(Exception):
    """A csv record is incomplete, or has text where text is not allowed."""


def csv_header(stream: TextIO, delimiter: str = ",") -> tuple[str, ...]:
    """The column names without blanks around them, from the first record that is not blank. Unnamed columns become column_1, column_2...

    Raises UnreadableFile if there is no header, or if it cannot be read.
    """
    record = next(_csv_records(Lines(stream), None, _dialect(delimiter)), None)
    if record is None:
        raise UnreadableFile("has no header line; write the column names into the first line")
    if record.error is not None or any("\0" in name for name in record.fields if name):
        raise UnreadableFile(f"has no readable header line ({record.error or 'it is binary'}); write it as UTF-8 text")
    stripped = [(name or "").strip(" \t") for name in record.fields]
    names = tuple(name or f"column_{place}" for place, name in enumerate(stripped, start=1))
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UnreadableFile(f"has the column {', '.join(map(repr, twice))} more than once; rename or drop one")
    return names


def csv_records(stream: TextIO, columns: int, delimiter: str = ",") -> Iterator[Record]:
    """The records below the header, sound and broken ones."""
    lines = Lines(stream)
    next(_csv_records(lines, None, _dialect(delimiter)), None)
    return _csv_records(lines, columns, _dialect(delimiter))


def _csv_records(lines: Lines, columns: int | None, dialect: _Dialect) -> Iterator[Record]:
    """Records with `columns` fields, or with any number of them."""
    number = 0
    while (first := lines.take()) is not None:
        if is_blank(first[1]):
            continue
        number += 1
        taken = [first]
        fields: Fields = ()
        error = None
        try:
            fields = _csv_fields(lines, taken, dialect)
        except _Malformed as malformed:
            error = str(malformed)
            # If a quote is missing, the record seems to continue on the next lines. Only its first line is rejected.
            lines.give_back(taken[1:])
            taken = taken[:1]
        content, is_utf8 = readable("".join(text for _, text in taken) if len(taken) > 1 else first[1])
        if not any(fields[columns:] if columns else ()):
            fields = fields[:columns]
        if not is_utf8:
            error = not_utf8(content)
        elif error is None and columns not in (None, len(fields)):
            counts = f"has {len(fields)} fields where the header has {columns}"
            error = f"{counts}; quote fields that contain {_DELIMITER_NAMES[dialect.delimiter]}"
        yield Record(number, first[0], content, error, () if error else fields)


def _csv_fields(lines: Lines, taken: list[Line], dialect: _Dialect) -> Fields:
    """The fields of the record that starts with the one line in `taken`. Adds the further lines of the record to `taken`.

    Raises _Malformed.
    """
    line = without_end(taken[0][1])
    if len(line) >= MAX_LINE_CHARACTERS:
        raise _Malformed(f"is longer than {MAX_LINE_CHARACTERS} characters; end lines with a line feed")
    if '"' not in line:
        return tuple(field or None for field in line.split(dialect.delimiter))
    if dialect.plain_record.fullmatch(line):
        # Python's csv reader refuses fields of more than 131,072 characters.
        with suppress(csv.Error):
            return tuple(field or None for field in next(csv.reader((line,), delimiter=dialect.delimiter)))
    return _csv_fields_by_quotes(lines, taken, line, dialect)


def _csv_fields_by_quotes(lines: Lines, taken: list[Line], line: str, dialect: _Dialect) -> Fields:
    """Like `_csv_fields`, for any record. `line` is its first line without the line end."""
    fields: list[str | None] = []
    place = 0
    while True:
        opening = _QUOTE_OPENS.match(line, place)
        if opening is None:
            end = line.find(dialect.delimiter, place)
            fields.append(line[place : end if end >= 0 else None] or None)
        else:
            value, line, place = _quoted(lines, taken, line, opening.end())
            fields.append(value or None)
            closing = dialect.field_ends.match(line, place)
            if closing is None:
                raise _Malformed("has text after a closing quote; write a quote inside a quoted field twice")
            end = closing.start(1) if closing[1] else -1
        if end < 0:
            return tuple(fields)
        place = end + 1


def _quoted(lines: Lines, taken: list[Line], line: str, place: int) -> tuple[str, str, int]:
    """Reads the quoted field whose text starts at `place`.

    Returns its value, the line on which it ends, and the place after its closing quote.
    """
    parts = []
    size = 0
    while (end := _QUOTE_CLOSES.match(line, place)) is None:
        # Line ends inside quotes are part of the value, as they are written.
        parts.append(taken[-1][1][place:])
        following = lines.take()
        size += len(following[1]) if following else 0
        if following is None or size >= MAX_LINE_CHARACTERS:
            lines.give_back([following] if following else [])
            raise _Malformed("opens a quote that is never closed; close it, or write a quote inside quotes twice")
        taken.append(following)
        line, place = without_end(following[1]), 0
    parts.append(line[place : end.end() - 1])
    return "".join(parts).replace('""', '"'), line, end.end()


def jsonl_records(stream: TextIO) -> Iterator[Record]:
    """One record per line that is not blank. DuckDB's JSON functions check whether it is an object."""
    lines = Lines(stream)
    number = 0
    while (taken := lines.take()) is not None:
        if is_blank(taken[1]):
            continue
        number += 1
        is_long = len(taken[1]) >= MAX_LINE_CHARACTERS
        error = f"is longer than {MAX_LINE_CHARACTERS} characters; write one object per line" if is_long else None
        yield json_record(number, taken[0], taken[1], error)


def json_record(number: int, line: int, text: str, error: str | None = None) -> Record:
    """A record of JSON text with the given error or, without one, with an error that DuckDB's JSON functions would accept."""
    content, is_utf8 = readable(text)
    if error is None:
        error = _loose_json(content) if is_utf8 else not_utf8(content)
    return Record(number, line, content, error)


def _loose_json(text: str) -> str | None:
    """Errors in the text that DuckDB's JSON functions accept or do not name."""
    may_be_half = "\\ud" in text or "\\uD" in text
    if "NaN" not in text and "Infinity" not in text and not may_be_half and _TRAILING_COMMA.search(text) is None:
        return None
    try:
        # Numbers stay text, because only the grammar matters here, and Python refuses integers of more than 4300 digits.
        found = json.loads(text, parse_constant=no_constant, parse_int=str, parse_float=str)
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return "has half of a letter that takes two \\u escapes (a surrogate); write both, or the letter itself"
    except (ValueError, RecursionError) as error:
        return f"is not JSON ({error}); write one object per line"
    return None
