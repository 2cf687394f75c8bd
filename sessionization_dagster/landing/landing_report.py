"""The outcome of one landing, and the problems that a person should check. Numbers and sentences only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sessionization_dagster.landing.names import READ_ALREADY

#: A broken export can have every row rejected. The first few show what is wrong; the rest is in the table.
REJECTS_SHOWN_PER_FILE = 5


def silence(message: str) -> None:
    """The default for `report`: ignores the message."""


@dataclass(frozen=True)
class Reject:
    """A record, or with `line` None a whole file, that is not among the rows. The first line is 1.

    `is_record` marks a record without a line, because load jobs do not report lines.
    """

    source_file: str
    line: int | None
    error: str
    is_record: bool = False

    def __str__(self) -> str:
        """A sentence: where, what, and how to fix it."""
        place = self.source_file if self.line is None else f"{self.source_file}, line {self.line}"
        return f"{place}: {self.error}"


@dataclass
class TableReport:
    """The outcome for one raw table. A file counts as loaded, unchanged or unreadable. Removed files count apart.

    Attributes:
        source: the source's name.
        table: the table's name within the source.
        files_loaded: new and changed files.
        files_unchanged: files loaded by an earlier run.
        files_removed: files whose rows were removed because the file was removed.
        removed_now: files that this landing missed for the first time. Their rows were removed, or are kept.
        removed_before: files that an earlier landing missed, and whose rows are kept.
        files_unreadable: files set aside, in this run or in an earlier one, and not changed since.
        rows_loaded: rows of the files loaded in this run.
        rows_rejected: rows of the files loaded in this run that are in `raw.landing_rejects` instead.
        rejects_held: all rejects of the table in `raw.landing_rejects`, from any run, including whole files.
        near_misses: (file, sentence) for names in files loaded in this run that nearly match a column that the file lacks.
        rejects: whole files set aside, and the first rejected rows of each file loaded in this run.
    """

    source: str
    table: str
    files_loaded: int = 0
    files_unchanged: int = 0
    files_removed: int = 0
    files_unreadable: int = 0
    rows_loaded: int = 0
    rows_rejected: int = 0
    rejects_held: int = 0
    near_misses: list[tuple[str, str]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    removed_now: list[str] = field(default_factory=list)
    removed_before: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The table's name in the schema `raw`."""
        return f"{self.source}_{self.table}"

    @property
    def problems(self) -> list[str]:
        """One sentence per reject, one for the rejects that are too many to name, and one per name that nearly matches."""
        shown = Counter(reject.source_file for reject in self.rejects if reject.is_record or reject.line is not None)
        silent = self.rows_rejected - sum(shown.values())
        more = [f"{self.name}: {silent} more rejected rows, see raw.landing_rejects"] if silent > 0 else []
        nearly = [f"{path}: {text}" for path, text in self.near_misses]
        return [str(reject) for reject in self.rejects] + more + nearly


@dataclass
class LandingReport:
    """The outcome of one landing, over all raw tables.

    Attributes:
        tables: the reports by the raw table's name, in the order in which the tables were given.
        ignored_files: (path below the landing folder, why it was not read).
        unknown_folders: sentences about folders that belong to no raw table.
    """

    tables: Mapping[str, TableReport]
    ignored_files: tuple[tuple[str, str], ...] = ()
    unknown_folders: tuple[str, ...] = ()

    def unread(self, table: str) -> list[tuple[str, str]]:
        """The files in the folder of a raw table (its name in the schema `raw`) that were not read, each with the reason."""
        folder = f"{self.tables[table].source}/{self.tables[table].table}/"
        return [(path, reason) for path, reason in self._not_read() if path.startswith(folder)]

    def misplaced(self) -> list[str]:
        """One sentence per folder that belongs to no raw table, and per file outside all tables' folders."""
        folders = tuple(f"{table.source}/{table.table}/" for table in self.tables.values())
        files = [f"{path}: {reason}" for path, reason in self._not_read() if not path.startswith(folders)]
        return [*self.unknown_folders, *files]

    def _not_read(self) -> Iterator[tuple[str, str]]:
        """The ignored files, except those that are read by another path."""
        return ((path, reason) for path, reason in self.ignored_files if reason != READ_ALREADY)

    @property
    def problems(self) -> list[str]:
        """Readable sentences that name the file, the line and the remedy. Empty when all is well."""
        return list(self._problems())

    def _problems(self) -> Iterator[str]:
        """Folders first: a misspelt folder explains missing rows better than anything below."""
        yield from self.unknown_folders
        for table in self.tables.values():
            yield from table.problems
        for path, reason in self.ignored_files:
            yield f"{path}: ignored, {reason}"
