"""A file's format, compression, encoding and delimiter, by its first bytes. Its name counts only if these are not conclusive."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from sessionization_dagster.landing.data_file import DataFile, Kind, LandedFile
from sessionization_dagster.landing.file_errors import UnreadableFile
from sessionization_dagster.landing.names import format_of
from sessionization_dagster.landing.tables import RawTable
from sessionization_dagster.landing.text import GZIP, beginning

DELIMITERS = (",", "\t", ";", "|")
_PARQUET = b"PAR1"
# Other formats that people put into such folders.
_OTHERS = {
    b"PK\x03\x04": "a zip archive (or an Excel workbook)",
    b"\x28\xb5\x2f\xfd": "compressed by zstd",
    b"BZh": "compressed by bzip2",
    b"\xfd7zXZ\x00": "compressed by xz",
    b"\x04\x22\x4d\x18": "compressed by lz4",
    b"ORC": "an ORC file",
    b"Obj\x01": "an Avro file",
    b"ARROW1": "an Arrow file",
    b"SQLite format 3": "an SQLite database",
    b"%PDF": "a PDF",
}
EMPTY = "is empty (zero bytes); write it again, or remove it"
_UTF8 = "utf-8-sig"
_ENCODINGS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
#: An object whose first value is a list of objects, which is how APIs wrap their answers.
_WRAPPED = re.compile(r'\s*\{\s*"(?:[^"\\]|\\.)*"\s*:\s*\[\s*\{')
_QUOTED = re.compile(r'"(?:[^"]|"")*("|\Z)')


def recognised(file: LandedFile) -> DataFile:
    """The file with the properties that its beginning shows. Raises UnreadableFile, with the format's name, for other formats."""
    if file.refusal is not None:
        raise UnreadableFile(file.refusal)
    if file.size_bytes == 0:
        raise UnreadableFile(EMPTY)
    kind = kind_of(*beginning(file), file.source_file)
    return DataFile(**{part.name: getattr(of, part.name) for of in (file, kind) for part in fields(of)})


def kind_of(head: bytes, gzipped: bool, name: str) -> Kind:
    """The kind of a file with this unzipped beginning. Raises UnreadableFile if its format is unknown."""
    _refuse_others(head, gzipped)
    if head.startswith(_PARQUET):
        return Kind("parquet", gzipped)
    hint = format_of(name)
    encoding = _encoding(head)
    if encoding == _UTF8 and not _is_text(head):
        if hint == "parquet":
            raise UnreadableFile("is not a whole parquet file (it does not begin with PAR1); write it again")
        if name.lower().endswith(".gz") and not gzipped:
            raise UnreadableFile("is not a whole gzip file (it does not begin as one); write it again")
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head)
    return Kind(gzipped=gzipped, encoding=encoding, **_text_format(text, hint))


def delimiter_of(header: str) -> str:
    """The delimiter that separates the most fields of a csv header line; a comma if there is no such delimiter."""
    unquoted = _QUOTED.sub("", header)
    return max(DELIMITERS, key=unquoted.count)


def _refuse_others(head: bytes, gzipped: bool) -> None:
    found = next((name for mark, name in _OTHERS.items() if head.startswith(mark)), None)
    if found is not None:
        raise UnreadableFile(f"is {found}; write it as parquet, csv or JSON lines, plain or gzipped")
    if gzipped and head.startswith(GZIP):
        raise UnreadableFile("is gzipped twice; unpack it once")
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise UnreadableFile("is UTF-32 text; write it in UTF-8")


def _is_text(head: bytes) -> bool:
    return b"\0" not in head and not head.endswith(_PARQUET)


def _encoding(head: bytes) -> str:
    """UTF-16 is recognised by its byte order mark, or by the zero bytes of its first two letters."""
    if head[:2] in _ENCODINGS:
        return _ENCODINGS[head[:2]]
    zeros = [place for place, byte in enumerate(head[:4]) if byte == 0]
    if len(head) >= 4 and zeros in ([1, 3], [0, 2]):
        return "utf-16-le" if zeros == [1, 3] else "utf-16-be"
    return _UTF8


def _text_format(text: str, hint: str | None) -> dict[str, Any]:
    """The format and its details. `hint`: the format of the file's name."""
    stripped = text.lstrip(" \t\r\n")
    if not stripped:
        # A file without any text has no rows to lose, but a csv file must have a header.
        return {"format": "csv" if hint == "csv" else "jsonl"}
    if stripped.startswith("["):
        return {"format": "json", "first": _first_of_array(stripped)}
    if stripped.startswith("{") or (
        hint == "jsonl" and any(line.lstrip().startswith("{") for line in text.splitlines())
    ):
        return _json_format(text, stripped, hint)
    _refuse_scalar(stripped)
    first_line = next(line for line in stripped.splitlines() if line.strip())
    return {"format": "csv", "delimiter": delimiter_of(first_line)}


def _json_format(text: str, stripped: str, hint: str | None) -> dict[str, Any]:
    for line in text.splitlines():
        found = _object(line)
        if found is not None:
            return {"format": "jsonl", "first": found, "is_lone": line.strip() == stripped.strip()}
        if line.strip() and stripped.startswith(line.strip()):
            spread = _spread(stripped)
            if spread is not None:
                return spread
    if _WRAPPED.match(stripped):
        raise UnreadableFile(_NO_ROWS.format("one JSON object with an array inside"))
    return {"format": "csv" if hint == "csv" else "jsonl"}


_NO_ROWS = "is {}, no rows; write one object per line, or one array of them"


def _spread(text: str) -> dict[str, Any] | None:
    """The format of a text that starts with an object over several lines; None if it starts with anything else."""
    try:
        found, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    return {"format": "json", "first": found, "is_lone": not text[end:].strip()}


def _object(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _first_of_array(text: str) -> Mapping[str, Any]:
    try:
        found, _ = json.JSONDecoder().raw_decode(text[1:].lstrip(" \t\r\n"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _refuse_scalar(text: str) -> None:
    """Raises UnreadableFile for a JSON document that holds no objects."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return
    called = {str: "a string", bool: "true or false", type(None): "null"}.get(type(found), "a number")
    raise UnreadableFile(_NO_ROWS.format(f"a JSON document that holds {called}"))


def require_rows(kind: Kind, table: RawTable) -> None:
    """Raises UnreadableFile for a JSON document that is a single object without any field of the table."""
    names = {name.lower() for column in table.columns for name in column.spellings}
    found = {key.lower() for key in kind.first}
    if not kind.is_lone or not found or found & (names | {table.unnest}):
        return
    lists = [key for key, value in kind.first.items() if isinstance(value, list)]
    keys = ", ".join(map(repr, list(kind.first)[:5]))
    called = f"one JSON object with an array inside ({lists[0]!r})" if lists else f"one JSON object ({keys})"
    raise UnreadableFile(_NO_ROWS.format(called))
