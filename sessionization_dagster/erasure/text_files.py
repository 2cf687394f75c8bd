"""Rewriting csv and jsonl files: whole lines are left out or replaced, all others are copied byte by byte.

Records are told apart by the landing's own careful reader, so that a number means the same record here and there.
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
from sessionization_dagster.landing.careful import Record, csv_header, csv_records, jsonl_records
from sessionization_dagster.landing.files import LandedFile
from sessionization_dagster.landing.text import opened, without_end

BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class _Edit:
    """The lines of one record, and the text that takes their place, without its line end; None: nothing does."""

    lines: int
    text: str | None


def rewrite_text(file: LandedFile, changes: Changes, ids: Ids, settle: Callable[[Outcome], None]) -> Outcome:
    """Apply the changes to a csv or jsonl file.

    Raises:
        RewriteError: what was written does not read as the records that should be left; the file is as it was.
    """
    outcome = Outcome()
    with opened(file) as stream:
        edits, expected = _plan(file, stream, changes, ids, outcome)
    if not edits:
        return outcome
    with replacing(Path(file.path)) as (scratch, written):
        with opened(file) as stream, _zipped(file, written) as target:
            if _starts_with_mark(file):
                target.write(BOM)
            _copy(stream, target, edits)
        written.close()
        if _digest_of(replace(file, path=str(scratch))) != expected:
            raise RewriteError(
                f"{file.source_file}: without the person's records, other records of it would read differently (a quote is opened "
                "and never closed, for example). It was left as it is: mend the file by hand, then run again."
            )
        settle(outcome)
    return outcome


def _plan(
    file: LandedFile, stream: TextIO, changes: Changes, ids: Ids, outcome: Outcome
) -> tuple[dict[int, _Edit], str]:
    """Line -> edit of the record that starts there, and the digest of the records that will be left."""
    header, records, end = _records(file, stream)
    edits: dict[int, _Edit] = {}
    digest = hashlib.sha256()
    for record in records:
        lines = record.content.count(end) + 1
        if record.number in changes.remove:
            outcome.removed += 1
            edits[record.line] = _Edit(lines, None)
            continue
        if changes.is_suspect(record.line, record.content, _fields(record, header), ids):
            outcome.rejects_removed += 1
            edits[record.line] = _Edit(lines, None)
            continue
        content = record.content
        if record.number in changes.blank:
            content = _blanked(file, record, ids, changes.blank[record.number])
            if content != record.content:
                outcome.blanked += 1
                edits[record.line] = _Edit(lines, content)
        _add(digest, content)
    return edits, digest.hexdigest()


def _records(file: LandedFile, stream: TextIO) -> tuple[Sequence[str], Iterator[Record], str]:
    """The column names (none of jsonl), the records, and the character that ends lines."""
    end = "\r" if stream.readline().endswith("\r") else "\n"
    stream.seek(0)
    if file.format == "jsonl":
        return (), jsonl_records(stream), end
    header = csv_header(stream)
    stream.seek(0)
    return header, csv_records(stream, len(header)), end


def _fields(record: Record, header: Sequence[str]) -> Mapping[str, object]:
    """Name -> value, as well as a record tells them that may be broken."""
    if header:
        return dict(zip(header, record.fields or record.content.split(","), strict=False))
    try:
        value = json.loads(record.content)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _blanked(file: LandedFile, record: Record, ids: Ids, own: frozenset[str]) -> str:
    """The record's text without ids."""
    if file.format == "jsonl":
        return ids.blanked_json(record.content, own)
    blanked = tuple(ids.blanked(field, own) for field in record.fields)
    return record.content if blanked == record.fields else ",".join(_quoted(field or "") for field in blanked)


def _quoted(field: str) -> str:
    """A csv field that reads as this value."""
    needs_quotes = field.startswith(" ") or any(letter in field for letter in '",\r\n')
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
        # A file of no bytes would look like one that was not written to its end.
        target.write(b"\n")


def _digest_of(file: LandedFile) -> str:
    digest = hashlib.sha256()
    with opened(file) as stream:
        for record in _records(file, stream)[1]:
            _add(digest, record.content)
    return digest.hexdigest()


def _add(digest: Any, content: str) -> None:
    text = content.encode("utf-8", "surrogatepass")
    digest.update(b"%d:" % len(text) + text)


def _starts_with_mark(file: LandedFile) -> bool:
    with gzip.open(file.path) if file.gzipped else open(file.path, "rb") as stream:
        return stream.read(len(BOM)) == BOM


@contextmanager
def _zipped(file: LandedFile, stream: BinaryIO) -> Iterator[BinaryIO]:
    """The stream, or one that compresses into it."""
    if not file.gzipped:
        yield stream
        return
    with gzip.GzipFile(filename="", mode="wb", fileobj=stream) as compressed:
        yield cast(BinaryIO, compressed)
