"""The tables of landed rows, rejects and landed files, and the scripts that change them. Texts only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sessionization_dagster.landing.gcs.objects import RawFile
from sessionization_dagster.landing.gcs.values import TYPES, literal, quoted
from sessionization_dagster.landing.landing_report import REJECTS_SHOWN_PER_FILE
from sessionization_dagster.landing.rows import MAX_CONTENT_CHARACTERS
from sessionization_dagster.landing.tables import OWN_COLUMNS, RawTable
from sessionization_dagster.warehouses.base import TableLayout
from sessionization_dagster.warehouses.dialect import RAW_SCHEMA, Places, as_script

LEDGER = TableLayout(
    RAW_SCHEMA,
    "landed_files",
    "source varchar, table_name varchar, source_file varchar, generation bigint, size_bytes bigint, status varchar, "
    "row_count bigint, reject_count bigint, landed_at timestamp",
)
REJECTS = TableLayout(
    RAW_SCHEMA,
    "landing_rejects",
    "source varchar, table_name varchar, source_file varchar, source_line bigint, error varchar, content varchar, landed_at timestamp",
)
# A load job does not report the line of a row.
_OWN = {name: kind for name, kind in OWN_COLUMNS.items() if name != "source_row"}


@dataclass(frozen=True)
class Outcome:
    """The result for one file: the query over its records with the numbers of rows and rejects, or why the file was set aside."""

    status: str
    judged: str = ""
    columns: Sequence[str] = ()
    rows: int = 0
    rejects: int = 0
    error: str = ""


def declared_columns(table: RawTable) -> dict[str, str]:
    """Column -> BigQuery's type, as the raw table must have them."""
    return {column.name: TYPES[column.type] for column in table.columns} | {
        name: TYPES[kind] for name, kind in _OWN.items()
    }


def raw_layout(table: RawTable) -> TableLayout:
    """The layout of the raw table: by month if its rows have a time, so that months can be skipped, and by file, to find its rows."""
    columns = {column.name: column.type for column in table.columns} | _OWN
    # By month, because a script may change at most 4,000 partitions. No table is divided by its time of arrival: staging would read that
    # as the time when the loader delivered the row.
    divided = (
        table.at is not None
        and not table.counts_time
        and table.at.lower() not in ("loaded_at", "received_at", "uuid_ts")
    )
    return TableLayout(
        RAW_SCHEMA,
        table.name,
        ", ".join(f'"{name}" {kind}' for name, kind in columns.items()),
        partitioned_by=f"timestamp_trunc({quoted(table.at)}, month)" if divided and table.at else None,
        clustered_by="source_file",
    )


class Statements:
    """The statements for one raw table."""

    def __init__(self, places: Places, table: RawTable, landed_at: datetime) -> None:
        """landed_at (naive UTC) is noted with files and rejects."""
        self._table = table
        self._landed_at = f"timestamp '{landed_at}'"
        self.raw = self._path(places, table.name)
        self._ledger = self._path(places, LEDGER.name)
        self._rejects = self._path(places, REJECTS.name)
        self._of_table = f"source = {literal(table.source)} and table_name = {literal(table.table)}"

    @staticmethod
    def _path(places: Places, name: str) -> str:
        return quoted(".".join(places.path_of(RAW_SCHEMA, name)))

    def entries(self) -> str:
        """A query: source_file, generation, status and row_count of the table's files in the ledger."""
        return f"select source_file, generation, status, row_count from {self._ledger} where {self._of_table}"

    def forget_generations(self) -> str:
        """Makes all files of the table be read again."""
        return f"update {self._ledger} set generation = null where {self._of_table}"

    def set_status(self, files: Sequence[str], status: str) -> str:
        """Notes that files were removed and their rows kept, or that the files are back."""
        return f"update {self._ledger} set status = {literal(status)} where {self._of_table} and {_in(files)}"

    def drop(self) -> str:
        """Drops the raw table."""
        return f"drop table if exists {self.raw}"

    def empty(self) -> str:
        """Deletes rows without an entry in the ledger, because their files would be loaded a second time."""
        return f"delete from {self.raw} where true"

    def add_columns(self, columns: Mapping[str, str]) -> str:
        """Adds columns to the raw table."""
        added = ", ".join(f"add column if not exists {quoted(name)} {kind}" for name, kind in columns.items())
        return f"alter table {self.raw} {added}"

    def counts(self, judged: str) -> str:
        """A query: one row of how many records are sound (row_count) and how many are not."""
        return f"select countif(problem is null) as row_count, countif(problem is not null) as reject_count from ({judged})"

    def remove_rows(self, files: Sequence[str]) -> str:
        """A script that removes all rows and rejects of these files."""
        return as_script(self._removal(files))

    def replace(self, file: RawFile, outcome: Outcome) -> str:
        """A script that replaces a file's earlier rows and rejects by its new outcome."""
        name = file.source_file
        statements = self._removal([name])
        key = f"{literal(self._table.source)}, {literal(self._table.table)}, {literal(name)}"
        if outcome.rows:
            # Columns that the file lacks are left out.
            target = ", ".join(map(quoted, [*outcome.columns, "properties", "source_file"]))
            places = {column.name: place for place, column in enumerate(self._table.columns)}
            values = ", ".join(f"v{places[column]}" for column in outcome.columns)
            statements.append(
                f"insert into {self.raw} ({target}) select {values}, properties, {literal(name)} "
                f"from ({outcome.judged}) where problem is null"
            )
        rejects = "insert into " + self._rejects + " (source, table_name, source_file, error, content, landed_at)"
        if outcome.error:
            statements.append(f"{rejects} values ({key}, {literal(outcome.error)}, null, {self._landed_at})")
        elif outcome.rejects:
            statements.append(
                f"{rejects} select {key}, problem, left(content, {MAX_CONTENT_CHARACTERS}), {self._landed_at} "
                f"from ({outcome.judged}) where problem is not null"
            )
        counts = f"{literal(outcome.status)}, {outcome.rows}, {outcome.rejects}"
        statements.append(
            f"insert into {self._ledger} (source, table_name, source_file, generation, size_bytes, status, row_count, reject_count, "
            f"landed_at) values ({key}, {file.stored.generation}, {file.stored.size_bytes}, {counts}, {self._landed_at})"
        )
        return as_script(statements)

    def rejects(self, files: Sequence[str]) -> str:
        """A query: the first rejects of each of the files."""
        return (
            f"select source_file, error, content is not null as is_record from {self._rejects} "
            f"where {self._of_table} and {_in(files)} "
            "qualify row_number() over (partition by source_file order by error, content) "
            f"<= {REJECTS_SHOWN_PER_FILE} order by source_file, error, content"
        )

    def reject_count(self) -> str:
        """A query: how many rejects the table has, from any run."""
        return f"select count(*) as found from {self._rejects} where {self._of_table}"

    def _removal(self, files: Sequence[str]) -> list[str]:
        return [
            f"delete from {self.raw} where {_in(files)}",
            *(f"delete from {name} where {self._of_table} and {_in(files)}" for name in (self._rejects, self._ledger)),
        ]


def _in(files: Sequence[str]) -> str:
    return f"source_file in ({', '.join(map(literal, files))})"
