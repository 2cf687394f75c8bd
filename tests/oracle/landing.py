"""A landing folder in memory: files of raw rows, the edits done to them, and the days an edit touches."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from .inputs import RawRow, Settings
from .intake import cleaned, dated, is_dated_by_receipt, sameness


@dataclass(frozen=True)
class Put:
    """Add rows to a file, which may be new."""

    file: str
    rows: tuple[RawRow, ...]


@dataclass(frozen=True)
class Delete:
    """Take rows out of a file; a file without rows is gone."""

    file: str
    rows: tuple[RawRow, ...]


@dataclass(frozen=True)
class Correct:
    """Replace one row of a file by another of the same table."""

    file: str
    old: RawRow
    new: RawRow


Edit = Put | Delete | Correct


def removed_rows(edit: Edit) -> tuple[RawRow, ...]:
    """The rows that an edit takes away."""
    if isinstance(edit, Correct):
        return (edit.old,)
    return edit.rows if isinstance(edit, Delete) else ()


def added_rows(edit: Edit) -> tuple[RawRow, ...]:
    """The rows that an edit brings."""
    if isinstance(edit, Correct):
        return (edit.new,)
    return edit.rows if isinstance(edit, Put) else ()


def folder(row: RawRow) -> str:
    """Where files with such rows are."""
    return f"{row.source}/{row.table}/"


@dataclass
class Landing:
    """Files by name, `<source>/<table>/<name>`; each holds rows of its own table only, possibly several times the same."""

    files: dict[str, list[RawRow]] = field(default_factory=dict)

    def apply(self, edit: Edit) -> None:
        """Do one edit; a row that is not there is an error."""
        rows = self.files.setdefault(edit.file, [])
        for row in removed_rows(edit):
            rows.remove(row)
        for row in added_rows(edit):
            if not edit.file.startswith(folder(row)):
                raise ValueError(f"a row of {folder(row)} cannot be in {edit.file}")
            rows.append(row)
        if not rows:
            del self.files[edit.file]

    def rows(self) -> list[RawRow]:
        """All rows, file by file."""
        return [row for rows in self.files.values() for row in rows]

    def located(self) -> list[tuple[str, RawRow]]:
        """All rows with their file."""
        return [(file, row) for file, rows in self.files.items() for row in rows]

    def snapshot(self) -> dict[str, tuple[RawRow, ...]]:
        """A copy that later edits do not change."""
        return {file: tuple(rows) for file, rows in self.files.items()}


def is_decidable(row: RawRow, others: Iterable[RawRow]) -> bool:
    """Whether the contract says which of the row and its duplicates is kept.

    Where source, id, timestamp and receipt are equal only the order of the content decides, and that order is the
    implementation's own: such rows must be equal altogether.
    """
    same = (other for other in others if _place(other) == _place(row))
    return not row.id or row.timestamp is None or all(other == row for other in same)


def _place(row: RawRow) -> tuple[Any, ...]:
    return row.source, row.id, sameness(row), row.timestamp, row.received_at


def decidable(rows: Iterable[RawRow], others: Sequence[RawRow]) -> tuple[RawRow, ...]:
    """Those rows that may join the others, and one another."""
    kept: list[RawRow] = []
    for row in rows:
        if is_decidable(row, [*others, *kept]):
            kept.append(row)
    return tuple(kept)


def touched_date(row: RawRow, settings: Settings) -> date | None:
    """The day that must be run again when the row comes or goes; None means any one run."""
    return dated(cleaned(row, settings), settings.timezone)


def touched_dates(row: RawRow, settings: Settings) -> set[date | None]:
    """The same as a set; with None besides where the day is that of the receipt, which may be no partition."""
    by_receipt = is_dated_by_receipt(cleaned(row, settings))
    return {touched_date(row, settings)} | ({None} if by_receipt else set())


def changed_dates(edits: Iterable[Edit], settings: Settings) -> set[date | None]:
    """The days that a step's edits touch, by old and new rows."""
    rows = [row for edit in edits for row in removed_rows(edit) + added_rows(edit)]
    return set().union(*(touched_dates(row, settings) for row in rows))
