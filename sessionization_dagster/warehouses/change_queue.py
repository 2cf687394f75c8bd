"""How Python's tables follow internal.change_queue, like dbt's tables do (macros/materializations/change_queue.sql, progress.sql)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sessionization_dagster.warehouses.base import Connection, TableLayout, number
from sessionization_dagster.window import ranges

QUEUE_TABLES = (
    # The same tables that dbt makes before its runs (macros/materializations/change_queue.sql, internal.sql).
    TableLayout(
        "internal",
        "change_queue",
        """sequence bigint, origin varchar, event_date date, alias varchar, previous_visitor_id varchar, dbt_visitor_id varchar,
        partition_date date, entity varchar, reprocess_from timestamp, previous_session_at timestamp""",
    ),
    TableLayout(
        "internal",
        "frontier_progress",
        "model varchar, sequence bigint, generation varchar, parents_generation varchar, fingerprint varchar",
    ),
)


#: A condition that every event_date meets. BigQuery may refuse a query without a bound on it.
EVERY_DAY = "event_date >= date '0001-01-01'"


def in_days(days: Iterable[date]) -> str:
    """A condition with literals: a table's event_date is one of the days."""
    spans = (f"(event_date >= date '{span.start}' and event_date < date '{span.end}')" for span in ranges([*days]))
    return f"({' or '.join(spans)})"


def written_days(connection: Connection, origin: str, follower: str) -> tuple[int, list[date]]:
    """The newest sequence number of the change queue, and the days that the origin recorded since the follower last followed it."""
    followed = f"(select coalesce(max(sequence), 0) from internal.frontier_progress where model = '{follower}')"
    newest = number(connection, "select coalesce(max(sequence), 0) as sequence from internal.change_queue")
    rows = connection.query(
        f"select distinct event_date from internal.change_queue where origin = '{origin}' and sequence > {followed}"
    )
    return newest, [row["event_date"] for row in rows.to_pylist()]


def made_by(connection: Connection, follower: str) -> str:
    """The fingerprint that the last run of a Python table recorded; empty if there was no run."""
    rows = connection.query(
        f"select fingerprint from internal.frontier_progress where model = '{follower}'"
    ).to_pylist()
    return str(rows[0]["fingerprint"]) if rows else ""


def following(follower: str, sequence: int, fingerprint: str) -> list[str]:
    """Statements that record how far a Python table has followed the queue, and its fingerprint."""
    return [
        f"delete from internal.frontier_progress where model = '{follower}'",
        "insert into internal.frontier_progress (model, sequence, generation, parents_generation, fingerprint) "
        f"values ('{follower}', {sequence}, '', '', '{fingerprint}')",
    ]
