"""What an erasure must not forget when it is killed, and the record that it leaves. SQL of DuckDB.

internal.erasures_in_progress holds the ids while an erasure is under way: once the files are rewritten and the graph is not yet, or only
in part, nothing else tells who was meant. internal.erasures, which a dbt hook creates, holds counts only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import date, datetime

from sessionization_dagster.erasure.changes import Outcome
from sessionization_dagster.erasure.ids import Ids
from sessionization_dagster.erasure.person import Plan, rows_of
from sessionization_dagster.warehouses.duckdb import DuckDBConnection

IN_PROGRESS = "internal.erasures_in_progress"
RECORD = "internal.erasures"

_CREATE = f"""
create schema if not exists internal;
create table if not exists {IN_PROGRESS} (erasure_id varchar, ids varchar[], days date[], files varchar)
"""


@dataclass
class Progress:
    """An erasure under way.

    Attributes:
        erasure_id: a random name for it.
        ids: of the person.
        days: whose tables have to be made again.
        files: file -> [rows removed, rejected records removed, rows blanked].
    """

    erasure_id: str
    ids: Ids
    days: set[date] = field(default_factory=set)
    files: dict[str, list[int]] = field(default_factory=dict)

    def add(self, plan: Plan) -> None:
        """Take in what was found."""
        self.days |= plan.days

    def settle(self, name: str, outcome: Outcome) -> None:
        """Take in what is done to a file."""
        self.files[name] = [outcome.removed, outcome.rejects_removed, outcome.blanked]

    @property
    def counts(self) -> tuple[int, int, int]:
        """Rows removed, rejected records removed, rows blanked."""
        removed, rejects, blanked = (sum(figures[place] for figures in self.files.values()) for place in range(3))
        return removed, rejects, blanked


@dataclass(frozen=True)
class Record:
    """One row of monitoring.erasures: nothing in it leads back to the person."""

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
    """The erasure under way of the person that has one of these ids; prefixes as for Ids.of."""
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
    """Write it down, in the place of what was written of the same erasure before."""
    connection.native.execute(_CREATE)
    with connection.transaction():
        connection.native.execute(f"delete from {IN_PROGRESS} where erasure_id = ?", [progress.erasure_id])
        connection.native.execute(
            f"insert into {IN_PROGRESS} values (?, ?, ?, ?)",
            [progress.erasure_id, sorted(progress.ids.names), sorted(progress.days), json.dumps(progress.files)],
        )


def write_record(connection: DuckDBConnection, record: Record) -> None:
    """Append the row of an erasure that is done."""
    names = [column.name for column in fields(record)]
    connection.native.execute(
        f"insert into {RECORD} ({', '.join(names)}) values ({', '.join('?' * len(names))})",
        [getattr(record, name) for name in names],
    )
