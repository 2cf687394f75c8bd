"""Makes the raw tables follow the landing folder: which files are loaded, which files' rows are removed, and in which transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import duckdb

from sessionization_dagster.landing import ledger, rows
from sessionization_dagster.landing.data_file import DataFile, LandedFile
from sessionization_dagster.landing.delimited import csv_columns, near_misses
from sessionization_dagster.landing.file_errors import NeedsRowByRow, UnreadableFile
from sessionization_dagster.landing.files import discover
from sessionization_dagster.landing.formats import recognised, require_rows
from sessionization_dagster.landing.landing_report import LandingReport, TableReport, silence
from sessionization_dagster.landing.names import folder_values
from sessionization_dagster.landing.parquet import ParquetProbe, fit_together
from sessionization_dagster.landing.tables import RawTable
from sessionization_dagster.settings.environment import RemovedFiles
from sessionization_dagster.warehouses.duckdb import transaction

#: Up to this many files, of up to this many bytes, are loaded by one statement if it can read them. This keeps both cores busy, and fills
#: blocks before they are written. 30 files of 100,000 rows take half the time that they take one by one; more at once gain little.
TOGETHER_FILES = 32
TOGETHER_BYTES = 256 * 2**20


def land(
    connection: duckdb.DuckDBPyConnection,
    landing: Path,
    tables: Sequence[RawTable],
    landed_at: datetime,
    report: Callable[[str], None] = silence,
    timezone: str = "UTC",
    removed: RemovedFiles = RemovedFiles.KEEP,
) -> LandingReport:
    """Makes the raw tables hold the rows of the landing folder's files. Changed files are loaded anew; `removed` applies to removed files.

    Args:
        connection: a connection to the warehouse, outside a transaction. Its settings are not changed.
        landing: the folder; files are at `<landing>/<source>/<table>/...`.
        tables: the raw tables to fill; others are not touched.
        landed_at: noted with files and rejects; naive is UTC.
        report: is called with a sentence about each file that was loaded, set aside or removed.
        timezone: the timezone (IANA name) of the days in the journal `raw.landing_changes`.
        removed: whether the rows of removed files are kept.

    Every file is loaded whole or not at all. One transaction may load several. After a crash at any moment, the next call continues.

    Raises:
        LandingError: the folder is missing or holds no data file: a disk may not be mounted. Then nothing is changed.
    """
    found = discover(landing, tables)
    if landed_at.tzinfo is not None:
        landed_at = landed_at.astimezone(UTC).replace(tzinfo=None)
    reports = {table.name: TableReport(table.source, table.table) for table in tables}
    with _session(connection) as session:
        ledger.prepare_lists(session)
        ledger.prepare(session, tables)
        probe = ParquetProbe()
        try:
            for table in tables:
                loader = _Loader(session, probe, table, landed_at, report, reports[table.name], timezone, removed)
                loader.land(found.files[table.name], found.holds)
        finally:
            probe.close()
    return LandingReport(reports, tuple(found.ignored), tuple(found.unknown_folders))


@contextmanager
def _session(connection: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """A second connection to the same database, in UTC. It keeps the order of rows, because record numbers depend on it."""
    with connection.cursor() as session:
        session.execute("set session TimeZone = 'UTC'")
        with _order_kept(session, True):
            yield session


@contextmanager
def _order_kept(session: duckdb.DuckDBPyConnection, wanted: bool) -> Iterator[None]:
    """Sets whether rows are written in the order in which they come. Must end outside a transaction: a failed one accepts no statement."""
    setting = "select current_setting('preserve_insertion_order')"
    before = bool(session.execute(setting).fetchall()[0][0])
    # This setting belongs to the whole instance.
    session.execute(f"set preserve_insertion_order = {wanted}")
    try:
        yield
    finally:
        session.execute(f"set preserve_insertion_order = {before}")


class _Layout(NamedTuple):
    """What files have in common that one statement reads. Folder values are constants in it. columns: (name, type) of parquet files."""

    format: str
    folders: tuple[tuple[str, str | None], ...] = ()
    columns: tuple[tuple[str, str], ...] = ()
    gzipped: bool = False


class _Loader:
    """Brings one raw table up to date."""

    def __init__(
        self,
        session: duckdb.DuckDBPyConnection,
        probe: ParquetProbe,
        table: RawTable,
        landed_at: datetime,
        report: Callable[[str], None],
        result: TableReport,
        timezone: str,
        removed: RemovedFiles,
    ) -> None:
        """Notes what happens in `result`."""
        self._session = session
        self._probe = probe
        self._table = table
        self._landed_at = landed_at
        self._report = report
        self._result = result
        self._timezone = timezone
        self._keeps = removed is RemovedFiles.KEEP

    def land(self, files: Sequence[LandedFile], is_there: Callable[[str], bool]) -> None:
        """Removes or keeps the rows of removed files, and loads new and changed files. is_there: whether the folder has a file."""
        known = ledger.entries(self._session, self._table)
        present = {file.source_file for file in files}
        absent = {name: entry for name, entry in sorted(known.items()) if name not in present}
        elsewhere = [name for name in absent if is_there(name)]
        self._remove_rows(elsewhere, "the file fills other tables now, or its folder is refused, or no longer refused")
        gone = {name: entry for name, entry in absent.items() if name not in elsewhere}
        # A file that could not be read has no rows to keep.
        kept = {name for name, entry in gone.items() if self._keeps and entry.status != ledger.UNREADABLE}
        self._remove_rows([name for name in gone if name not in kept], "the file was removed")
        reported = self._load_all(files, known)
        loaded = [file for file in files if file.source_file in reported]
        moved = self._moved({name: gone[name] for name in kept}, loaded)
        self._remove_rows(moved, "they came with a file of another name")
        self._keep(sorted(kept - set(moved)), gone)
        self._result.removed_now = [
            name for name, entry in gone.items() if entry.status != ledger.REMOVED and name not in moved
        ]
        self._result.rejects = ledger.rejects(self._session, self._table, reported)
        self._result.rejects_held = ledger.reject_count(self._session, self._table)

    def _load_all(self, files: Sequence[LandedFile], known: Mapping[str, ledger.Entry]) -> list[str]:
        """Loads new and changed files. Returns the files that have something to report."""
        reported = []
        together = self._load_together([file for file in files if file.source_file not in known])
        for file in files:
            entry = known.get(file.source_file)
            if file.source_file in together:
                reported.append(file.source_file)
                continue
            if entry is not None and entry.describes(file):
                status = self._back(file.source_file) if entry.status == ledger.REMOVED else entry.status
                self._result.files_unchanged += status == ledger.LOADED
            else:
                status = self._load(file, entry)
                reported.append(file.source_file)
            if status == ledger.UNREADABLE and _answers_for(file):
                self._result.files_unreadable += 1
                reported.append(file.source_file)  # also if it was set aside in an earlier run
        return reported

    def _remove_rows(self, files: list[str], why: str) -> None:
        """Removes the rows of files that were removed."""
        if not files:
            return
        with transaction(self._session):
            self._take_back(files)
        self._result.files_removed += len(files)
        for source_file in files:
            self._report(f"{source_file}: rows removed, {why}")

    def _keep(self, files: list[str], known: Mapping[str, ledger.Entry]) -> None:
        """Notes which files were removed although their rows stay."""
        ledger.set_status(self._session, self._table, files, ledger.REMOVED)
        self._result.removed_before = [name for name in files if known[name].status == ledger.REMOVED]
        for source_file in set(files) - set(self._result.removed_before):
            self._report(f"{source_file}: gone from the folder; its rows are kept")

    def _moved(self, gone: Mapping[str, ledger.Entry], loaded: Sequence[LandedFile]) -> list[str]:
        """Which of the removed files were just loaded under another name, or zipped. Their rows would be in the table twice."""
        counts = ledger.row_counts(self._session, self._table) if gone and loaded else {}

        def may_be(name: str, file: LandedFile) -> bool:
            # Years of archived files may have as many rows as a new one, so only files removed just now are compared by count alone.
            is_new = gone[name].status != ledger.REMOVED and counts[name] == counts[file.source_file]
            return is_new or gone[name].size_bytes == file.size_bytes

        def is_same(name: str, file: LandedFile) -> bool:
            return may_be(name, file) and ledger.same_rows(self._session, self._table, name, file.source_file)

        return [name for name in sorted(gone) if any(is_same(name, file) for file in loaded)]

    def _back(self, source_file: str) -> str:
        """Notes that a file is back unchanged. Returns its status."""
        ledger.set_status(self._session, self._table, [source_file], ledger.LOADED)
        return ledger.LOADED

    def _load_together(self, new: list[LandedFile]) -> set[str]:
        """Loads several new files at a time: raw calls, parquet with the same columns, or JSON lines. Returns the loaded files."""
        found = [file for file in map(self._recognised, new) if file]
        loaded: set[str] = set()
        for layout, group in groupby(found if len(found) > 1 else (), key=self._layout):
            if layout is not None:
                for batch in _batches(group):
                    loaded |= self._attempt_together(batch, layout)
        return loaded

    def _layout(self, file: DataFile) -> _Layout | None:
        """What other files must have in common with this one to be read with it; None if it is read alone."""
        folders = tuple(folder_values(file.source_file).items())
        try:
            if file.calls:
                return _Layout("calls")
            require_rows(file, self._table)
            if file.format == "parquet" and not file.gzipped:
                columns = tuple(self._probe.columns(file))
                return _Layout(file.format, folders, columns) if fit_together(columns) else None
            is_lines = file.format == "jsonl" and file.is_utf8
            return _Layout(file.format, folders, gzipped=file.gzipped) if is_lines else None
        except UnreadableFile:
            # Loading it alone then reports why.
            return None

    def _recognised(self, file: LandedFile) -> DataFile | None:
        """The file with its kind; None if it cannot be read. Loading it alone then reports why."""
        try:
            return recognised(file)
        except UnreadableFile:
            return None

    def _attempt_together(self, files: list[DataFile], layout: _Layout) -> set[str]:
        """Loads new files in few transactions. Returns the loaded ones. A file that must be read row by row, or is alone, is left."""
        if len(files) < 2:
            return set()
        # Rows of parquet files come with their numbers. In file order each file would end in a block of its own that is not full, and
        # DuckDB would write nearly all of these again, to fill them, when the connection is closed.
        try:
            with _order_kept(self._session, layout.format != "parquet"), transaction(self._session):
                if layout.format == "calls":
                    counts = rows.load_calls(self._session, files, self._table, self._landed_at)
                else:
                    counts = rows.load_together(self._session, files, self._table, layout.columns)
                self._record_together(files, counts)
        except (NeedsRowByRow, UnreadableFile):
            middle = len(files) // 2
            return self._attempt_together(files[:middle], layout) | self._attempt_together(files[middle:], layout)
        for file in files:
            self._report_loaded(file, *counts[file.source_file])
            self._report_near_misses(file.source_file, [name for name, _ in layout.columns] or self._names(file))
        return set(counts)

    def _record_together(self, files: list[DataFile], counts: Mapping[str, tuple[int, int]]) -> None:
        self._note(ledger.LOADED, [file.source_file for file in files])
        for file in files:
            entry = ledger.Entry(file.size_bytes, file.modified_ns, ledger.LOADED)
            ledger.record(self._session, self._table, file, entry, counts[file.source_file], self._landed_at)

    def _report_loaded(self, file: LandedFile, row_count: int, reject_count: int) -> None:
        self._result.files_loaded += 1
        self._result.rows_loaded += row_count
        self._result.rows_rejected += reject_count
        # A file of calls belongs to all tables of its source, and many have no row of it.
        if row_count or reject_count or not file.calls:
            self._report(f"{file.source_file}: {row_count} rows loaded, {reject_count} rejected")

    def _report_near_misses(self, source_file: str, names: Sequence[str]) -> None:
        self._result.near_misses += [(source_file, text) for text in near_misses(self._table, names)]

    def _names(self, file: DataFile) -> Sequence[str]:
        """The columns of a file, or its first JSON object's keys. Empty for raw calls and nested properties: their keys say nothing."""
        if file.calls is not None or self._table.unnest in file.first:
            return ()
        if file.format == "csv":
            return csv_columns(file)
        if file.format == "parquet":
            return () if file.gzipped else [name for name, _ in self._probe.columns(file)]
        return list(file.first)

    def _load(self, file: LandedFile, before: ledger.Entry | None) -> str:
        """Loads one file: as a whole if it is clean, otherwise record by record. If neither works, sets it aside. Returns its status."""
        try:
            found = recognised(file)
            if found.calls is None:
                require_rows(found, self._table)
            try:
                counts = self._attempt(found, before, rows.load_whole)
            except NeedsRowByRow:
                counts = self._attempt(found, before, rows.load_row_by_row)
        except UnreadableFile as error:
            self._set_aside(file, before, error)
            return ledger.UNREADABLE
        self._report_loaded(file, *counts)
        self._report_near_misses(file.source_file, self._names(found))
        return ledger.LOADED

    def _attempt(self, file: DataFile, before: ledger.Entry | None, load: rows.Load) -> tuple[int, int]:
        """Replaces the file's rows in one transaction. Returns (rows, rejects)."""
        with transaction(self._session):
            if before is not None:
                self._take_back([file.source_file])
            counts = load(self._session, self._probe, file, self._table, self._landed_at)
            self._note(ledger.LOADED, [file.source_file])
            entry = ledger.Entry(file.size_bytes, file.modified_ns, ledger.LOADED)
            ledger.record(self._session, self._table, file, entry, counts, self._landed_at)
        return counts

    def _set_aside(self, file: LandedFile, before: ledger.Entry | None, error: UnreadableFile) -> None:
        """Removes the rows that the file may have had, and notes why it cannot be read."""
        # The message does not depend on whether the file had rows before, so an incremental warehouse equals a rebuilt one.
        message = f"{error}. None of its rows are loaded"
        entry = ledger.Entry(file.size_bytes, None if error.transient else file.modified_ns, ledger.UNREADABLE)
        answers = _answers_for(file)
        with transaction(self._session):
            self._take_back([file.source_file])
            if answers:
                ledger.reject_file(self._session, self._table, file, message, self._landed_at)
            ledger.record(self._session, self._table, file, entry, (0, int(answers)), self._landed_at)
        if not answers:
            return
        had_rows = before is not None and before.status == ledger.LOADED
        hint = "; the rows it had before it changed are removed" if had_rows else ""
        self._report(f"{file.source_file}: set aside: {error}{hint}")

    def _take_back(self, files: list[str]) -> None:
        """Removes the rows of files from the table, and notes their days."""
        self._note(ledger.ROWS_REMOVED, files)
        ledger.remove_rows(self._session, self._table, files)

    def _note(self, change: str, files: list[str]) -> None:
        ledger.note_changes(self._session, self._table, files, change, self._landed_at, self._timezone)


def _answers_for(file: LandedFile) -> bool:
    """Whether this table says what is wrong with the file. A file of calls belongs to several tables, and one of them answers for it."""
    return file.calls is None or file.calls.is_home


def _batches(files: Iterable[DataFile]) -> Iterator[list[DataFile]]:
    """The files, as many at a time as one statement takes."""
    batch: list[DataFile] = []
    for file in files:
        size = sum(other.size_bytes for other in batch) + file.size_bytes
        if batch and (len(batch) == TOGETHER_FILES or size > TOGETHER_BYTES):
            yield batch
            batch = []
        batch.append(file)
    if batch:
        yield batch
