"""Files as text: unzipping, line ends and bytes that are not UTF-8. Nothing about csv or JSON."""

from __future__ import annotations

import gzip
import io
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, TextIO, cast

from sessionization_dagster.landing.errors import UnreadableFile
from sessionization_dagster.landing.files import LandedFile

#: A line is held in memory as a whole; nothing that is meant to be one is longer.
MAX_LINE_CHARACTERS = 16 * 2**20

#: (number from 1, the line with its end).
Line = tuple[int, str]


@contextmanager
def opened(file: LandedFile) -> Iterator[TextIO]:
    """The file's text without byte order mark, undecodable bytes as surrogates. Raises UnreadableFile."""
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
    r"""The character that ends lines.

    A `\r` alone does only in files that have no `\n`, as of old Macintoshes; elsewhere it is part of the text.
    """
    return "\r" if b"\r" in beginning and b"\n" not in beginning else "\n"


class Lines:
    """The lines of a text with their numbers; lines can be given back."""

    def __init__(self, stream: TextIO) -> None:
        """The stream is read no further than asked for."""
        self._stream = stream
        self._next = 1
        self._returned: deque[Line] = deque()

    def take(self) -> Line | None:
        """The next line, or None. One that is longer than the limit comes cut off there, without its end."""
        if self._returned:
            return self._returned.popleft()
        text = self._stream.readline(MAX_LINE_CHARACTERS)
        if not text:
            return None
        number, self._next = self._next, self._next + 1
        tail = text
        while len(tail) == MAX_LINE_CHARACTERS and not tail.endswith(("\n", "\r")):
            tail = self._stream.readline(MAX_LINE_CHARACTERS)
        return number, text

    def give_back(self, lines: list[Line]) -> None:
        """These lines come next again, in this order."""
        self._returned.extendleft(reversed(lines))


def is_blank(line: str) -> bool:
    """Whether nothing is on the line. Other Unicode spaces count as text."""
    return not line.strip(" \t\r\n")


def without_end(line: str) -> str:
    """The line without its line end."""
    if line.endswith("\n"):
        return line[:-2] if line.endswith("\r\n") else line[:-1]
    return line[:-1] if line.endswith("\r") else line


def readable(text: str) -> tuple[str, bool]:
    r"""The text without its line end, undecodable bytes written as \xff, and whether there were none."""
    text = without_end(text)
    if text.isascii():
        return text, True
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"), False
    return text, True
