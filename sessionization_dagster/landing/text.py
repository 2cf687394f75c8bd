"""Files as text: unzipping, line ends and bytes that are not UTF-8. Nothing about csv or JSON."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import shutil
import tempfile
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import BinaryIO, TextIO, cast

from sessionization_dagster.landing.data_file import DataFile, LandedFile
from sessionization_dagster.landing.file_errors import UnreadableFile

#: A line is held in memory as a whole. No intended line is longer.
MAX_LINE_CHARACTERS = 16 * 2**20

#: The first bytes of a gzip file.
GZIP = b"\x1f\x8b"
#: How much of a file is read to find its kind.
HEAD_BYTES = 2**16

#: (number from 1, the line with its end).
Line = tuple[int, str]


def beginning(file: LandedFile) -> tuple[bytes, bool]:
    """The file's first bytes, unzipped, and whether they were zipped. Raises UnreadableFile."""
    with _readable_bytes(file.path, gzipped=False) as stream:
        head = stream.read(HEAD_BYTES)
    if not head.startswith(GZIP):
        return head, False
    with _readable_bytes(file.path, gzipped=True) as stream:
        return stream.read(HEAD_BYTES), True


@contextmanager
def opened(file: DataFile) -> Iterator[TextIO]:
    """The file's text without a byte order mark. Bytes that are not UTF-8 become surrogates. Raises UnreadableFile."""
    errors = "surrogateescape" if file.is_utf8 else "strict"
    with _readable_bytes(file.path, file.gzipped) as stream:
        head = stream.read(HEAD_BYTES)
        newline = _line_end(codecs.getincrementaldecoder(file.encoding)("replace").decode(head))
    with _readable_bytes(file.path, file.gzipped) as stream:
        try:
            yield io.TextIOWrapper(stream, file.encoding, errors, newline)
        except UnicodeError as error:
            if file.is_utf8:
                raise
            raise UnreadableFile("is UTF-16 text with bytes that are no letters; write it in UTF-8") from error


@contextmanager
def unzipped(file: DataFile) -> Iterator[DataFile]:
    """The file itself, or a temporary unzipped copy, because parquet is not read from beginning to end. Raises UnreadableFile."""
    if not file.gzipped:
        yield file
        return
    with tempfile.NamedTemporaryFile(suffix=".parquet") as copy:
        with _readable_bytes(file.path, gzipped=True) as stream:
            shutil.copyfileobj(stream, copy)
        copy.flush()
        yield replace(file, path=copy.name, gzipped=False)


def has_lone_returns(file: DataFile) -> bool:
    r"""Whether a `\r` without `\n` occurs. DuckDB reads some of them as line ends. This reads 1 GB in about half a second.

    Raises UnreadableFile for a damaged gzip file, because DuckDB does not check its checksum.
    """
    with _readable_bytes(file.path, file.gzipped) as stream:
        carried = b""
        while block := stream.read(2**20):
            block = carried + block
            carried = b"\r" if block.endswith(b"\r") else b""
            if block.count(b"\r") - len(carried) != block.count(b"\r\n"):
                return True
        return bool(carried)


@contextmanager
def _readable_bytes(path: str, gzipped: bool) -> Iterator[BinaryIO]:
    """The unzipped bytes. Raises UnreadableFile at the moment when they turn out to be damaged."""
    try:
        with cast(BinaryIO, gzip.open(path) if gzipped else open(path, "rb")) as stream:
            yield stream
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UnreadableFile(f"is not a whole gzip file ({error}); write it again") from error
    except OSError as error:
        raise UnreadableFile(f"cannot be read ({error.strerror or error}); allow reading it", transient=True) from error


def _line_end(beginning: str) -> str:
    r"""The character that ends lines.

    A `\r` alone ends lines only in files without `\n`, as on old Macintoshes. Elsewhere it is part of the text.
    """
    return "\r" if "\r" in beginning and "\n" not in beginning else "\n"


class Lines:
    """The lines of a text with their numbers; lines can be given back."""

    def __init__(self, stream: TextIO) -> None:
        """The stream is read no further than requested."""
        self._stream = stream
        self._next = 1
        self._returned: deque[Line] = deque()

    def take(self) -> Line | None:
        """The next line, or None. A line that is longer than the limit is cut off there, without its end."""
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
        """Put lines back: they come next again, in this order."""
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
    r"""The text without its line end, with undecodable bytes written as \xff, and whether it had no such bytes."""
    text = without_end(text)
    if text.isascii():
        return text, True
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"), False
    return text, True


def not_utf8(content: str) -> str:
    r"""The error of a text in which bytes are written as \xff. Names the encoding if it can be guessed."""
    letters = re.findall(r"\\x([0-9a-f]{2})", content)
    # Windows-1252 has letters and quotes of Western languages; five of its codes are unused.
    is_western = all(code not in ("81", "8d", "8f", "90", "9d") for code in letters)
    guess = ' (it may be Windows-1252, which Excel calls "CSV")' if is_western else ""
    return f"is not UTF-8{guess}; write the file in UTF-8"
