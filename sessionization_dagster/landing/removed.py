"""What becomes of the rows of a landed file that is gone from the folder. Decisions and words only; no warehouse."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sessionization_dagster.landing.tables import LandingError
from sessionization_dagster.settings.environment import RemovedFiles

SHOWN = 5


@dataclass(frozen=True)
class Missing:
    """The files of one raw table that are gone.

    Attributes:
        table: its name in the schema `raw`.
        files: those that are gone, sorted.
        file_count: how many the table had.
        rows: of those that are gone.
        row_count: how many the table had.
    """

    table: str
    files: tuple[str, ...]
    file_count: int
    rows: int
    row_count: int

    @property
    def is_suspicious(self) -> bool:
        """Whether all files are gone, or those with over half of the rows.

        A table that has no rows loses none: each file of raw calls is one of tables that it has no row for.
        """
        return 2 * self.rows > self.row_count


def require_plausible(missing: Iterable[Missing], policy: RemovedFiles, folder: str) -> None:
    """Refuse to remove what a missing disk would explain.

    Raises:
        LandingError: names the tables, the files and the way to confirm.
    """
    suspicious = [table for table in missing if policy is RemovedFiles.REMOVE and table.is_suspicious]
    if not suspicious:
        return
    told = "; ".join(
        f"raw.{table.table}: {len(table.files)} of {table.file_count} files with {table.rows} of {table.row_count} rows "
        f"({', '.join(table.files[:SHOWN])}{', ...' if len(table.files) > SHOWN else ''})"
        for table in suspicious
    )
    raise LandingError(
        f"all files of a table, or those with over half of its rows, are gone from {folder} at once: {told}. Nothing was changed. "
        "Is a disk not mounted, or SESSIONIZATION_LANDING another folder? If the rows are to be removed, run once with "
        "SESSIONIZATION_REMOVED_FILES=remove_any; if they are to stay, set it to keep"
    )
