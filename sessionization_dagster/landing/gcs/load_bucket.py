"""Makes the raw tables follow the bucket: which files are loaded, which files' rows are removed, in which order, and what is reported."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime

from google.api_core.exceptions import NotFound
from google.cloud import bigquery, storage

from sessionization_dagster.errors import WarehouseError
from sessionization_dagster.landing.calls import is_call
from sessionization_dagster.landing.data_file import Kind
from sessionization_dagster.landing.delimited import near_misses
from sessionization_dagster.landing.file_errors import UnreadableFile
from sessionization_dagster.landing.formats import EMPTY, kind_of, require_rows
from sessionization_dagster.landing.gcs import shapes
from sessionization_dagster.landing.gcs.clients import Loads, Objects, Scratch
from sessionization_dagster.landing.gcs.objects import Bucket, RawFile, discover
from sessionization_dagster.landing.gcs.statements import (
    LEDGER,
    REJECTS,
    Outcome,
    Statements,
    declared_columns,
    raw_layout,
)
from sessionization_dagster.landing.landing_report import LandingReport, Reject, TableReport, silence
from sessionization_dagster.landing.ledger import LOADED, REMOVED, UNREADABLE
from sessionization_dagster.landing.row_by_row import csv_header
from sessionization_dagster.landing.tables import LandingError, RawTable
from sessionization_dagster.settings.environment import RemovedFiles
from sessionization_dagster.warehouses.bigquery import BigQueryWarehouse
from sessionization_dagster.warehouses.bigquery_errors import with_remedies

# No JSON contains it, so that each line is one field.
NO_DELIMITER = "\x1f"
# How many files one script names: its text may have a megabyte.
FILES_PER_SCRIPT = 500
#: An error names at most this many files.
SHOWN = 5


def land_bucket(
    warehouse: BigQueryWarehouse,
    client: storage.Client,
    bucket: Bucket,
    tables: Sequence[RawTable],
    landed_at: datetime,
    report: Callable[[str], None] = silence,
    removed: RemovedFiles = RemovedFiles.KEEP,
) -> LandingReport:
    """Makes the raw tables hold the rows of the bucket's files. Changed files are loaded anew; `removed` applies to removed files.

    Args:
        warehouse: its raw tables are filled. Its location must allow load jobs from the bucket's location.
        client: the client of the bucket.
        bucket: files are at `<bucket>/<source>/<table>/...`.
        tables: the raw tables to fill; others are not touched.
        landed_at: noted with files and rejects; naive is UTC.
        report: is called with a sentence about each file that was loaded, set aside or removed.
        removed: what becomes of the rows of removed files.

    Every file's rows are replaced in a transaction of their own. After a crash at any moment, the next call continues.

    Raises:
        LandingError: the bucket holds no data file, or so many files are missing that it may be another one. Then nothing is changed.
        WarehouseError: the bucket or the warehouse refuses, for a reason that is not in a file.
    """
    if landed_at.tzinfo is not None:
        landed_at = landed_at.astimezone(UTC).replace(tzinfo=None)
    reports = {table.name: TableReport(table.source, table.table) for table in tables}
    objects = Objects(client, bucket)
    with with_remedies(warehouse.places.project):
        found = discover(bucket, objects.all(), tables)
        with warehouse.connect() as connection:
            loads = Loads(warehouse, connection)
            loads.create_missing([LEDGER, REJECTS])
            loaders = {
                table.name: _Loader(
                    loads,
                    objects,
                    bucket,
                    table,
                    Statements(warehouse.places, table, landed_at),
                    report,
                    reports[table.name],
                    removed,
                )
                for table in tables
            }
            for name, loader in loaders.items():
                loader.land(found.files[name])
    return LandingReport(reports, tuple(found.ignored), tuple(found.unknown_folders))


class _Loader:
    """Brings one raw table up to date."""

    def __init__(
        self,
        loads: Loads,
        objects: Objects,
        bucket: Bucket,
        table: RawTable,
        statements: Statements,
        report: Callable[[str], None],
        result: TableReport,
        removed: RemovedFiles,
    ) -> None:
        """Notes what happens in `result`."""
        self._loads = loads
        self._objects = objects
        self._bucket = bucket
        self._table = table
        self._statements = statements
        self._report = report
        self._result = result
        self._keeps = removed is RemovedFiles.KEEP

    def land(self, files: Sequence[RawFile]) -> None:
        """Removes or keeps the rows of removed files, then loads new and changed files."""
        present = {file.source_file for file in files}
        known = self._prepare(present)
        refused = _refused(known, files)
        self._remove_rows(refused, "its folder is refused")
        gone = {name: status for name, (_, status) in sorted(known.items()) if name not in {*present, *refused}}
        # A file that could not be read has no rows to keep.
        kept = [name for name, status in gone.items() if self._keeps and status != UNREADABLE]
        self._remove_rows([name for name in gone if name not in kept])
        self._note_status([name for name in kept if gone[name] != REMOVED], REMOVED)
        self._result.removed_now = [name for name, status in gone.items() if status != REMOVED]
        self._result.removed_before = [name for name in kept if gone[name] == REMOVED]
        reported = []
        for file in files:
            generation, status = known.get(file.source_file, (None, ""))
            if generation == file.stored.generation:
                if status == REMOVED:
                    self._note_status([file.source_file], LOADED)
                    status = LOADED
                self._result.files_unchanged += status == LOADED
            else:
                status = self._load(file) or ""
                reported.append(file.source_file)
            if status == UNREADABLE:
                self._result.files_unreadable += 1
                reported.append(file.source_file)  # also if it was set aside in an earlier run
        self._report_rejects(sorted(set(reported)))

    def _note_status(self, files: Sequence[str], status: str) -> None:
        """Notes which files were removed although their rows stay, or are back."""
        for start in range(0, len(files), FILES_PER_SCRIPT):
            self._loads.rows(self._statements.set_status(files[start : start + FILES_PER_SCRIPT], status))
        if status == REMOVED:
            for source_file in files:
                self._report(f"{source_file}: gone from the bucket; its rows are kept")

    def _prepare(self, present: Collection[str]) -> Mapping[str, tuple[int | None, str]]:
        """Brings the table to its declared columns. Returns file -> (generation, status) of the ledger."""
        statements = self._statements
        known = self._entries()
        existing = self._loads.columns(self._table.name)
        declared = declared_columns(self._table)
        difference = columns_to_add(declared, existing or {}, self._loads.forgets_json)
        if existing is not None and not known:
            self._loads.rows(statements.empty())
        if existing is None or difference is None or difference:
            if existing is not None and difference is None:
                self._require_all_there(present, known)
            if known:
                # Before the table changes, so that after a crash in between the files are still read again.
                self._loads.rows(statements.forget_generations())
            if existing is not None and difference is None:
                self._loads.rows(statements.drop())
            elif existing is not None and difference:
                self._loads.rows(statements.add_columns(difference))
            self._loads.create_missing([raw_layout(self._table)])
            known = {name: (None, status) for name, (_, status) in known.items()}
        return known

    def _require_all_there(self, present: Collection[str], known: Mapping[str, tuple[int | None, str]]) -> None:
        """Raises LandingError if the table must be rebuilt and the rows of removed files would be lost by that."""
        gone = sorted(name for name, (_, status) in known.items() if name not in present and status != UNREADABLE)
        if gone and self._keeps:
            named = f"{', '.join(gone[:SHOWN])}{', ...' if len(gone) > SHOWN else ''}"
            raise LandingError(
                f"raw.{self._table.name} has to be rebuilt, as its declared columns went or changed type, and {len(gone)} of its files "
                f"are gone ({named}). Nothing was changed: put them back for one run, or set SESSIONIZATION_REMOVED_FILES=remove to "
                "lose their rows"
            )

    def _entries(self) -> dict[str, tuple[int | None, str]]:
        rows = self._loads.rows(self._statements.entries())
        return {row["source_file"]: (row["generation"], row["status"]) for row in rows}

    def _remove_rows(self, gone: list[str], why: str = "the file was removed") -> None:
        """Removes the rows of files that were removed, or that may not be read."""
        for start in range(0, len(gone), FILES_PER_SCRIPT):
            self._loads.rows(self._statements.remove_rows(gone[start : start + FILES_PER_SCRIPT]))
        self._result.files_removed += len(gone)
        for source_file in gone:
            self._report(f"{source_file}: rows removed, {why}")

    def _load(self, file: RawFile) -> str | None:
        """Loads one file, or sets it aside. Returns its status; None if it changed meanwhile, so that the next run loads it."""
        found: tuple[Scratch | None, Outcome] | None
        try:
            found = self._judge(file)
        except UnreadableFile as error:
            found = None, Outcome(UNREADABLE, rejects=1, error=f"{error}. None of its rows are loaded")
        except WarehouseError as error:
            if not isinstance(error.__cause__, NotFound) or self._objects.is_still(file.stored):
                raise
            found = None
        if found is None or not self._objects.is_still(file.stored):
            if found is not None and found[0] is not None:
                self._loads.drop(found[0])
            self._report(f"{file.source_file}: changed while it was read; the next run takes it as it is then")
            return None
        scratch, outcome = found
        self._loads.rows(self._statements.replace(file, outcome))
        if scratch is not None:
            self._loads.drop(scratch)
        if outcome.error:
            self._report(f"{file.source_file}: set aside: {outcome.error}")
            return UNREADABLE
        self._result.files_loaded += 1
        self._result.rows_loaded += outcome.rows
        self._result.rows_rejected += outcome.rejects
        self._report(f"{file.source_file}: {outcome.rows} rows loaded, {outcome.rejects} rejected")
        return LOADED

    def _judge(self, file: RawFile) -> tuple[Scratch, Outcome] | None:
        """Loads a file into a scratch table and counts the sound records; None if the file no longer exists. Raises UnreadableFile."""
        if file.refusal is not None:
            raise UnreadableFile(file.refusal)
        if file.stored.size_bytes == 0:
            raise UnreadableFile(EMPTY)
        beginning = self._objects.beginning(file.stored)
        if beginning is None:
            return None
        kind = loadable(kind_of(*beginning, file.source_file), file, self._table)
        names: tuple[str, ...] = ()
        if kind.format == "csv":
            names = header_of(beginning[0], kind.delimiter)
            shapes.csv_shape(self._table, names, "", file.source_file)  # nothing is loaded without a required column
        key = file.key(self._bucket, self._table.name)
        uri = f"gs://{self._bucket.name}/{file.stored.name}"
        scratch = self._loads.load(uri, key, load_config(kind.format, names, kind.delimiter))
        try:
            shape = self._shape(kind.format, names, scratch, file.source_file)
        except UnreadableFile:
            self._loads.drop(scratch)
            raise
        found = [value.name for value in (*shape.columns.values(), *shape.extras)]
        self._result.near_misses += [(file.source_file, text) for text in near_misses(self._table, found)]
        judged = shapes.judged(self._table, shape)
        (counts,) = self._loads.rows(self._statements.counts(judged))
        columns = [column.name for column in self._table.columns if column.name in shape.columns]
        return scratch, Outcome(LOADED, judged, columns, counts["row_count"], counts["reject_count"])

    def _shape(self, file_format: str, names: Sequence[str], scratch: Scratch, source_file: str) -> shapes.Shape:
        if file_format == "csv":
            return shapes.csv_shape(self._table, names, scratch.name, source_file)
        if file_format == "parquet":
            return shapes.parquet_shape(self._table, scratch.types, scratch.name, source_file)
        keys = [row["key"] for row in self._loads.rows(shapes.jsonl_keys(scratch.name))]
        return shapes.jsonl_shape(self._table, keys, scratch.name, source_file)

    def _report_rejects(self, files: Sequence[str]) -> None:
        for start in range(0, len(files), FILES_PER_SCRIPT):
            rows = self._loads.rows(self._statements.rejects(files[start : start + FILES_PER_SCRIPT]))
            self._result.rejects += [Reject(row["source_file"], None, row["error"], row["is_record"]) for row in rows]
        (held,) = self._loads.rows(self._statements.reject_count())
        self._result.rejects_held = held["found"]


def _refused(known: Iterable[str], files: Sequence[RawFile]) -> list[str]:
    """Which of the known files are in a refused folder."""
    folders = tuple(f"{file.source_file}/" for file in files if file.refusal)
    return [name for name in known if name.startswith(folders)]


def columns_to_add(
    declared: Mapping[str, str], existing: Mapping[str, str], forgets_json: bool
) -> dict[str, str] | None:
    """Declared columns that a table lacks; None if a column of the table has another type now, or is no longer declared."""
    wanted = {name.lower(): kind for name, kind in declared.items()}
    for name, kind in existing.items():
        right = wanted.get(name.lower())
        if right != kind and not (forgets_json and (right, kind) == ("JSON", "STRING")):
            return None
    there = {name.lower() for name in existing}
    return {name: kind for name, kind in declared.items() if name.lower() not in there}


def loadable(kind: Kind, file: RawFile, table: RawTable) -> Kind:
    """The kind, if a load job and its query can read such a file. Otherwise raises UnreadableFile: only the folder's landing reads it."""
    require_rows(kind, table)
    lines = "write one object per line"
    problems = {
        "is gzipped, and its name does not end in .gz, by which a load job knows that; rename it": kind.gzipped
        and kind.format != "parquet"
        and not file.source_file.lower().endswith(".gz"),
        "is gzipped parquet; unpack it": kind.gzipped and kind.format == "parquet",
        "is UTF-16 text, which is not read from a bucket; write it in UTF-8": not kind.is_utf8,
        f"is a JSON array, or objects over several lines, which is not read from a bucket; {lines}": kind.format
        == "json",
        "has raw calls (messageId and type), which are not read from a bucket; have the loader write tables": table.call
        and is_call(kind.first),
        f"has its fields in {table.unnest!r}, which is not read from a bucket; write them at the top of each object": table.unnest
        and isinstance(kind.first.get(table.unnest), dict),
    }
    for problem, is_found in problems.items():
        if is_found:
            raise UnreadableFile(problem)
    return kind


def header_of(beginning: bytes, delimiter: str = ",") -> tuple[str, ...]:
    """The column names of a csv file with this beginning. Raises UnreadableFile."""
    line, end, rest = beginning.partition(b"\n")
    if not line.strip(b" \t\r\n\xef\xbb\xbf") and rest:
        # A load job skips exactly one line, even if it is blank.
        raise UnreadableFile("starts with a blank line; write the column names into the first line")
    return csv_header(io.TextIOWrapper(io.BytesIO(line + end), "utf-8-sig", "surrogateescape", newline="\n"), delimiter)


def load_config(file_format: str, names: Sequence[str], delimiter: str = ",") -> bigquery.LoadJobConfig:
    """The configuration of a load job for a file of this format. names are a csv file's columns."""
    if file_format == "parquet":
        return bigquery.LoadJobConfig(source_format=bigquery.SourceFormat.PARQUET, autodetect=True)
    is_csv = file_format == "csv"
    columns = [f"c{place}" for place in range(len(names))] if is_csv else [shapes.LINE]
    return bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.CSV,
        schema=[bigquery.SchemaField(column, "STRING") for column in columns],
        skip_leading_rows=1 if is_csv else 0,
        field_delimiter=delimiter if is_csv else NO_DELIMITER,
        quote_character='"' if is_csv else "",
        allow_quoted_newlines=is_csv,
        preserve_ascii_control_characters=True,
        encoding="UTF-8",
    )
