"""Rewrites text files: whole lines are left out or replaced, and all others are copied.

UTF-16 and JSON arrays are written as lines of UTF-8.

The landing's own row-by-row reader separates the records, so that a number means the same record here and there.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast

from sessionization_dagster.erasure.changes import Changes, Outcome, RewriteError, replacing
from sessionization_dagster.erasure.ids import Ids
from sessionization_dagster.landing.data_file import DataFile
from sessionization_dagster.landing.documents import json_records
from sessionization_dagster.landing.row_by_row import Record, csv_header, csv_records, jsonl_records
from sessionization_dagster.landing.text import opened, without_end

BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class _Edit:
    """The lines of one record, and the text that replaces them, without a line end; None: they are left out."""

    lines: int
    text: str | None


def rewrite_text(file: DataFile, changes: Changes, ids: Ids, settle: Callable[[Outcome], None]) -> Outcome:
    """Apply the changes to a file of text.

    Raises:
        RewriteError: the written file does not read as the records that should remain. The file is unchanged.
    """
    outcome = Outcome()
    with opened(file) as stream:
        edits, expected = _plan(file, stream, changes, ids, outcome)
    if not outcome.is_change:
        return outcome
    # The content decides a file's format, so an array can become lines of objects, and UTF-16 can become UTF-8.
    written_as = replace(file, encoding="utf-8-sig", format="jsonl" if file.format == "json" else file.format)
    with replacing(Path(file.path)) as (scratch, written):
        with opened(file) as stream, _zipped(file, written) as target:
            if _starts_with_mark(file):
                target.write(BOM)
            if file.format == "json":
                with opened(file) as again:
                    _write_lines(target, _decided(file, again, changes, ids, Outcome()))
            else:
                _copy(stream, target, edits)
        written.close()
        if _digest_of(replace(written_as, path=str(scratch))) != expected:
            raise RewriteError(
                f"{file.source_file}: without the person's records, other records of it would read differently (a quote is opened "
                "and never closed, for example). It was left as it is: mend the file by hand, then run again."
            )
        settle(outcome)
    return outcome


def _plan(file: DataFile, stream: TextIO, changes: Changes, ids: Ids, outcome: Outcome) -> tuple[dict[int, _Edit], str]:
    """Line -> edit of the record that starts there, and the digest of the records that will remain."""
    edits: dict[int, _Edit] = {}
    digest = hashlib.sha256()
    end = _line_end(stream)
    for record, content in _decided(file, stream, changes, ids, outcome):
        if content != record.content:
            edits[record.line] = _Edit(record.content.count(end) + 1, content)
        if content is not None:
            _add(digest, _as_line(content) if file.format == "json" else content)
    return edits, digest.hexdigest()


def _decided(
    file: DataFile, stream: TextIO, changes: Changes, ids: Ids, outcome: Outcome
) -> Iterator[tuple[Record, str | None]]:
    """Each record with the text that replaces it; None: it is left out. Counts in `outcome`."""
    header, records = _records(file, stream)
    for record in records:
        if record.number in changes.remove:
            outcome.removed += 1
            yield record, None
        elif changes.is_suspect(record.line, record.content, _fields(file, record, header), ids):
            outcome.rejects_removed += 1
            yield record, None
        elif record.number in changes.blank:
            content = _blanked(file, record, ids, changes.blank[record.number])
            outcome.blanked += content != record.content
            yield record, content
        else:
            yield record, record.content


def _write_lines(target: BinaryIO, decided: Iterator[tuple[Record, str | None]]) -> None:
    """Write the remaining records, one per line."""
    contents = [content for _, content in decided if content is not None]
    for content in contents or [""]:
        target.write(_as_line(content).encode("utf-8", "surrogateescape") + b"\n")


def _as_line(content: str) -> str:
    """JSON over several lines, written on one line. Between values a line end means the same as a blank."""
    return content.replace("\r", " ").replace("\n", " ")


def _line_end(stream: TextIO) -> str:
    end = "\r" if stream.readline().endswith("\r") else "\n"
    stream.seek(0)
    return end


def _records(file: DataFile, stream: TextIO) -> tuple[Sequence[str], Iterator[Record]]:
    """The column names (empty for JSON) and the records."""
    if file.format == "json":
        return (), json_records(stream)
    if file.format == "jsonl":
        return (), jsonl_records(stream)
    header = csv_header(stream, file.delimiter)
    stream.seek(0)
    return header, csv_records(stream, len(header), file.delimiter)


def _fields(file: DataFile, record: Record, header: Sequence[str]) -> Mapping[str, object]:
    """Name -> value, for the values that can be read from a record that may be broken."""
    if header:
        return dict(zip(header, record.fields or record.content.split(file.delimiter), strict=False))
    try:
        value = json.loads(record.content)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _blanked(file: DataFile, record: Record, ids: Ids, own: frozenset[str]) -> str:
    """The record's text without ids."""
    if file.format != "csv":
        return ids.blanked_json(record.content, own)
    blanked = tuple(ids.blanked(field, own) for field in record.fields)
    return (
        record.content
        if blanked == record.fields
        else file.delimiter.join(_quoted(field or "", file.delimiter) for field in blanked)
    )


def _quoted(field: str, delimiter: str) -> str:
    """The value as a csv field."""
    needs_quotes = field.startswith(" ") or any(letter in field for letter in ('"', delimiter, "\r", "\n"))
    return '"' + field.replace('"', '""') + '"' if needs_quotes else field


def _copy(stream: TextIO, target: BinaryIO, edits: Mapping[int, _Edit]) -> None:
    """Write the stream's lines with the edits."""
    written = 0
    remaining: _Edit | None = None
    left = 0
    for number, text in enumerate(stream, start=1):
        if number in edits:
            remaining = edits[number]
            left = remaining.lines
        if remaining is not None:
            left -= 1
            if left:
                continue
            text = "" if remaining.text is None else remaining.text + text[len(without_end(text)) :]
            remaining = None
        written += target.write(text.encode("utf-8", "surrogateescape"))
    if not written:
        # An empty file would look like one that was not completely written.
        target.write(b"\n")


def _digest_of(file: DataFile) -> str:
    digest = hashlib.sha256()
    with opened(file) as stream:
        for record in _records(file, stream)[1]:
            _add(digest, record.content)
    return digest.hexdigest()


def _add(digest: Any, content: str) -> None:
    text = content.encode("utf-8", "surrogatepass")
    digest.update(b"%d:" % len(text) + text)


def _starts_with_mark(file: DataFile) -> bool:
    with gzip.open(file.path) if file.gzipped else open(file.path, "rb") as stream:
        return stream.read(len(BOM)) == BOM


@contextmanager
def _zipped(file: DataFile, stream: BinaryIO) -> Iterator[BinaryIO]:
    """The stream, or one that compresses into it."""
    if not file.gzipped:
        yield stream
        return
    with gzip.GzipFile(filename="", mode="wb", fileobj=stream) as compressed:
        yield cast(BinaryIO, compressed)
