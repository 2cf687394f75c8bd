"""Decides whether the rows of removed files may be removed. Decisions and messages only; no warehouse."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sessionization_dagster.landing.tables import LandingError
from sessionization_dagster.settings.environment import RemovedFiles

SHOWN = 5


@dataclass(frozen=True)
class Missing:
    """The missing files of one raw table.

    Attributes:
        table: its name in the schema `raw`.
        files: the missing files, sorted.
        file_count: how many files the table had.
        rows: how many rows the missing files have.
        row_count: how many rows the table had.
    """

    table: str
    files: tuple[str, ...]
    file_count: int
    rows: int
    row_count: int

    @property
    def is_suspicious(self) -> bool:
        """Whether all files are missing, or those with over half of the rows.

        A table without rows loses no rows: a file of raw calls also belongs to tables that it has no rows for.
        """
        return 2 * self.rows > self.row_count


def require_plausible(missing: Iterable[Missing], policy: RemovedFiles, folder: str) -> None:
    """Refuse to remove rows if a missing disk would explain the missing files.

    Raises:
        LandingError: names the tables, the files and the way to confirm.
    """
    suspicious = [table for table in missing if policy is RemovedFiles.REMOVE and table.is_suspicious]
    if not suspicious:
        return
    found = "; ".join(
        f"raw.{table.table}: {len(table.files)} of {table.file_count} files with {table.rows} of {table.row_count} rows "
        f"({', '.join(table.files[:SHOWN])}{', ...' if len(table.files) > SHOWN else ''})"
        for table in suspicious
    )
    raise LandingError(
        f"all files of a table, or those with over half of its rows, are missing from {folder} at once: {found}. Nothing was changed. "
        "Is a disk not mounted, or SESSIONIZATION_LANDING another folder? If the rows are to be removed, run once with "
        "SESSIONIZATION_REMOVED_FILES=remove_any; if they are to stay, set it to keep"
    )
