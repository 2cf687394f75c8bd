"""The state of an erasure that must survive a kill, and the record of a finished erasure. SQL of DuckDB.

internal.erasures_in_progress holds the ids while an erasure is in progress. Once the files are rewritten, and until the graph is updated,
nothing else shows which person was meant. internal.erasures, which a dbt hook creates, holds only counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import date, datetime

from sessionization_dagster.erasure.changes import Outcome
from sessionization_dagster.erasure.ids import Ids
from sessionization_dagster.erasure.person import rows_of
from sessionization_dagster.warehouses.duckdb import DuckDBConnection

IN_PROGRESS = "internal.erasures_in_progress"
RECORD = "internal.erasures"

_CREATE = f"""
create schema if not exists internal;
create table if not exists {IN_PROGRESS} (erasure_id varchar, ids varchar[], days date[], files varchar)
"""


@dataclass
class Progress:
    """An erasure in progress.

    Attributes:
        erasure_id: a random name for it.
        ids: the person's ids.
        days: the days whose tables must be made again.
        files: file -> [rows removed, rejected records removed, rows blanked].
    """

    erasure_id: str
    ids: Ids
    days: set[date] = field(default_factory=set)
    files: dict[str, list[int]] = field(default_factory=dict)

    def settle(self, name: str, outcome: Outcome) -> None:
        """Record the outcome for a file."""
        self.files[name] = [outcome.removed, outcome.rejects_removed, outcome.blanked]

    @property
    def counts(self) -> tuple[int, int, int]:
        """Rows removed, rejected records removed, rows blanked."""
        removed, rejects, blanked = (sum(figures[place] for figures in self.files.values()) for place in range(3))
        return removed, rejects, blanked


@dataclass(frozen=True)
class Record:
    """One row of monitoring.erasures. Nothing in it identifies the person."""

    erased_at: datetime
    erasure_id: str
    run_id: str
    requested_by: str | None
    aliases: int
    raw_rows_removed: int
    raw_rows_blanked: int
    raw_rejects_removed: int
    files_rewritten: int
    days_rerun: int
    log_rows_removed: int
    tables_verified: int


def load_progress(connection: DuckDBConnection, identifiers: Iterable[str], prefixes: Iterable[str]) -> Progress | None:
    """The erasure in progress of the person with one of these ids, or None. prefixes are as for Ids.of."""
    schema, table = IN_PROGRESS.split(".")
    if not connection.has_table(schema, table):
        return None
    found = rows_of(
        connection, f"select * from {IN_PROGRESS} where list_has_any(ids, $ids)", {"ids": list(identifiers)}
    )
    if not found:
        return None
    (row,) = found
    return Progress(row["erasure_id"], Ids.of(row["ids"], prefixes), set(row["days"]), json.loads(row["files"]))


def save_progress(connection: DuckDBConnection, progress: Progress) -> None:
    """Store the state, in place of an earlier state of the same erasure."""
    connection.native.execute(_CREATE)
    with connection.transaction():
        connection.native.execute(f"delete from {IN_PROGRESS} where erasure_id = ?", [progress.erasure_id])
        connection.native.execute(
            f"insert into {IN_PROGRESS} values (?, ?, ?, ?)",
            [progress.erasure_id, sorted(progress.ids.names), sorted(progress.days), json.dumps(progress.files)],
        )


def write_record(connection: DuckDBConnection, record: Record) -> None:
    """Append the row of a finished erasure."""
    names = [column.name for column in fields(record)]
    connection.native.execute(
        f"insert into {RECORD} ({', '.join(names)}) values ({', '.join('?' * len(names))})",
        [getattr(record, name) for name in names],
    )
