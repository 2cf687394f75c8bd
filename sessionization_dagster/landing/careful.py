"""Reading csv and jsonl record by record: slower than the vectorised readers, but exact about which line is broken and why.

The rules of csv are those of the vectorised reader (RFC 4180, quotes taken literally inside an unquoted field), so that a record reads
the same whichever way its file is read. One allowance is shared too: empty fields after the last column.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, NamedTuple, NoReturn, TextIO, cast

from sessionization_dagster.landing.errors import UnreadableFile
from sessionization_dagster.landing.files import LandedFile

#: A record is held in memory as a whole; nothing that is meant to be one is longer.
MAX_RECORD_CHARACTERS = 16 * 2**20
MAX_RECORD_LINES = 10_000

#: A record of plain and properly quoted fields on one line, which Python's csv reader splits as we do, only faster.
_PLAIN_RECORD = re.compile(r'(?:"(?:[^"]++|"")*+"|[^",]*+)(?:,(?:"(?:[^"]++|"")*+"|[^",]*+))*+')
_QUOTE_OPENS = re.compile(r' *"')
_QUOTE_CLOSES = re.compile(r'(?:[^"]++|"")*+"')
_FIELD_ENDS = re.compile(r" *(,|\Z)")
#: What DuckDB's JSON functions let pass although it is not JSON: trailing commas and non-finite numbers. Used on both paths.
LOOSE_JSON = r",\s*[}\]]|NaN|Infinity"
_TRAILING_COMMA = re.compile(r",\s*[}\]]")


class Record(NamedTuple):
    """One data record."""

    #: From 1, broken records counted, blank lines not.
    number: int
    #: Of its first line, from 1.
    line: int
    #: The text, without the line end; bytes that are not UTF-8 are written as \\xff.
    content: str
    #: None for a sound record.
    error: str | None
    #: Text of the csv fields, empty ones None; nothing for a broken record and for jsonl.
    fields: tuple[str | None, ...] = ()


class _Malformed(Exception):
    """A csv record breaks off or has text where none can be."""


class _Lines:
    """The lines of a text with their numbers; lines can be given back."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._next = 1
        self._returned: deque[tuple[int, str]] = deque()

    def take(self) -> tuple[int, str] | None:
        """The next (number, line with its end), or None. A line beyond the limit comes cut off, without its end."""
        if self._returned:
            return self._returned.popleft()
        text = self._stream.readline(MAX_RECORD_CHARACTERS)
        if not text:
            return None
        number, self._next = self._next, self._next + 1
        tail = text
        while len(tail) == MAX_RECORD_CHARACTERS and not tail.endswith(("\n", "\r")):
            tail = self._stream.readline(MAX_RECORD_CHARACTERS)
        return number, text

    def give_back(self, lines: list[tuple[int, str]]) -> None:
        """These lines come next again, in this order."""
        self._returned.extendleft(reversed(lines))


@contextmanager
def opened(file: LandedFile) -> Iterator[TextIO]:
    """The file's text, unzipped, without byte order mark, undecodable bytes as surrogates. Raises UnreadableFile."""
    with _readable_bytes(file) as stream:
        newline = _line_end(stream.read(2**16))
    with _readable_bytes(file) as stream:
        yield io.TextIOWrapper(stream, "utf-8-sig", "surrogateescape", newline)


def has_lone_returns(file: LandedFile) -> bool:
    r"""Whether a `\r` without `\n` occurs: DuckDB takes some of them for line ends. Reads 1 GB in about half a second.

    Raises UnreadableFile for a damaged gzip file, of which DuckDB does not compare the checksum.
    """
    with _readable_bytes(file) as stream:
        carried = b""
        while block := stream.read(2**20):
            block = carried + block
            carried = b"\r" if block.endswith(b"\r") else b""
            if block.count(b"\r") - len(carried) != block.count(b"\r\n"):
                return True
        return bool(carried)


@contextmanager
def _readable_bytes(file: LandedFile) -> Iterator[BinaryIO]:
    """The unzipped bytes. Raises UnreadableFile, whenever they turn out to be damaged."""
    try:
        with cast(BinaryIO, gzip.open(file.path) if file.gzipped else open(file.path, "rb")) as stream:
            yield stream
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UnreadableFile(
            f"is not a whole gzip file ({error}); write it again, or take .gz off its name if it is not compressed"
        ) from error
    except OSError as error:
        raise UnreadableFile(f"cannot be read ({error.strerror or error}); allow reading it", transient=True) from error


def _line_end(beginning: bytes) -> str:
    r"""The character that ends lines. A `\r` alone does only where the first line ends so; elsewhere it is part of a field."""
    end = re.search(rb"[\r\n]", beginning)
    lone = end is not None and end[0] == b"\r" and beginning[end.end() : end.end() + 1] not in (b"\n", b"")
    return "\r" if lone else "\n"


def csv_header(stream: TextIO) -> tuple[str, ...]:
    """The column names: the first record that is not blank. Unnamed ones are called column_1, column_2... by place.

    Raises UnreadableFile for no header and for one that cannot be read.
    """
    record = next(_csv_records(_Lines(stream), None), None)
    if record is None:
        raise UnreadableFile("has no header line; write the column names into the first line")
    if record.error is not None or any("\0" in name for name in record.fields if name):
        raise UnreadableFile(f"has no readable header line ({record.error or 'it is binary'}); write it as UTF-8 text")
    names = tuple(name or f"column_{place}" for place, name in enumerate(record.fields, start=1))
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UnreadableFile(f"has the column {', '.join(map(repr, twice))} more than once; rename or drop one")
    return names


def csv_records(stream: TextIO, columns: int) -> Iterator[Record]:
    """The records below the header, sound and broken ones."""
    lines = _Lines(stream)
    next(_csv_records(lines, None), None)
    return _csv_records(lines, columns)


def _csv_records(lines: _Lines, columns: int | None) -> Iterator[Record]:
    """Records with `columns` fields, or with any number of them."""
    number = 0
    while (first := lines.take()) is not None:
        if not first[1].strip(" \t\r\n"):
            continue
        number += 1
        taken = [first]
        error, fields = None, ()
        try:
            fields = _csv_fields(lines, taken)
        except _Malformed as malformed:
            error = str(malformed)
            # Where a quote went missing, the record seems to run on: only its first line is given up.
            lines.give_back(taken[1:])
            taken = taken[:1]
        content, is_utf8 = _readable("".join(text for _, text in taken) if len(taken) > 1 else first[1])
        if columns is not None and not any(fields[columns:]):
            fields = fields[:columns]
        if not is_utf8:
            error = "is not UTF-8; write the file in UTF-8"
        elif error is None and columns not in (None, len(fields)):
            error = f"has {len(fields)} fields where the header has {columns}; quote fields that contain commas or line ends"
        yield Record(number, first[0], content, error, () if error else fields)


def _csv_fields(lines: _Lines, taken: list[tuple[int, str]]) -> tuple[str | None, ...]:
    """The fields of the record that starts with the one line in `taken`; adds the lines it runs on to. Raises _Malformed."""
    line = _without_end(taken[0][1])
    if len(line) >= MAX_RECORD_CHARACTERS:
        raise _Malformed(f"is longer than {MAX_RECORD_CHARACTERS} characters; end lines with a line feed")
    if '"' not in line:
        return tuple(field or None for field in line.split(","))
    if _PLAIN_RECORD.fullmatch(line):
        # It refuses fields of more than 131,072 characters.
        with suppress(csv.Error):
            return tuple(field or None for field in next(csv.reader((line,))))
    return _csv_fields_by_quotes(lines, taken, line)


def _csv_fields_by_quotes(lines: _Lines, taken: list[tuple[int, str]], line: str) -> tuple[str | None, ...]:
    """As `_csv_fields`, for any record; `line` is its first line without its end."""
    fields: list[str | None] = []
    place = 0
    while True:
        opening = _QUOTE_OPENS.match(line, place)
        if opening is None:
            end = line.find(",", place)
            fields.append(line[place : end if end >= 0 else None] or None)
        else:
            value, line, place = _quoted(lines, taken, line, opening.end())
            fields.append(value or None)
            closing = _FIELD_ENDS.match(line, place)
            if closing is None:
                raise _Malformed("has text after a closing quote; write a quote inside a quoted field twice")
            end = closing.start(1) if closing[1] else -1
        if end < 0:
            return tuple(fields)
        place = end + 1


def _quoted(lines: _Lines, taken: list[tuple[int, str]], line: str, place: int) -> tuple[str, str, int]:
    """The value of the quoted field whose text starts at `place`, the line it ends in, and the place after its closing quote."""
    parts = []
    size = 0
    while (end := _QUOTE_CLOSES.match(line, place)) is None:
        # Line ends inside quotes are part of the value, as they are written.
        parts.append(taken[-1][1][place:])
        following = lines.take()
        size += len(following[1]) if following else 0
        if following is None or len(taken) >= MAX_RECORD_LINES or size >= MAX_RECORD_CHARACTERS:
            lines.give_back([following] if following else [])
            raise _Malformed(
                "opens a quote that is never closed; close it, or write a quote inside a quoted field twice"
            )
        taken.append(following)
        line, place = _without_end(following[1]), 0
    parts.append(line[place : end.end() - 1])
    return "".join(parts).replace('""', '"'), line, end.end()


def jsonl_records(stream: TextIO) -> Iterator[Record]:
    """One record per line that is not blank. Whether the line is an object is left to the JSON functions of DuckDB."""
    lines = _Lines(stream)
    number = 0
    while (taken := lines.take()) is not None:
        if not taken[1].strip(" \t\r\n"):
            continue
        number += 1
        content, is_utf8 = _readable(taken[1])
        if len(content) >= MAX_RECORD_CHARACTERS:
            error: str | None = f"is longer than {MAX_RECORD_CHARACTERS} characters; write one object per line"
        elif not is_utf8:
            error = "is not UTF-8; write the file in UTF-8"
        else:
            error = _loose_json(content)
        yield Record(number, taken[0], content, error)


def _loose_json(line: str) -> str | None:
    """What is wrong with a line that DuckDB's JSON functions would not mind."""
    if "NaN" not in line and "Infinity" not in line and _TRAILING_COMMA.search(line) is None:
        return None
    try:
        # Numbers stay text: only the grammar matters here, and Python refuses integers of more than 4300 digits.
        json.loads(line, parse_constant=_no_constant, parse_int=str, parse_float=str)
    except (ValueError, RecursionError) as error:
        return f"is not JSON ({error}); write one object per line"
    return None


def _no_constant(name: str) -> NoReturn:
    """JSON has no NaN and no Infinity; Python's parser reads them."""
    raise ValueError(f"{name} is not a JSON number")


def _without_end(line: str) -> str:
    """The line without its line end."""
    if line.endswith("\n"):
        return line[:-2] if line.endswith("\r\n") else line[:-1]
    return line[:-1] if line.endswith("\r") else line


def _readable(text: str) -> tuple[str, bool]:
    """The text without its line end, undecodable bytes written as \\xff, and whether there were none."""
    text = _without_end(text)
    if text.isascii():
        return text, True
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"), False
    return text, True
