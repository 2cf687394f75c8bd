"""The tables of the identity graph, the columns of its edges and pairs, and how tables of Python code follow the change queue."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sessionization_dagster.partitions import ranges
from sessionization_dagster.warehouses.base import Connection, TableLayout

EDGES = (
    "event_date, edge_type, anonymous_id, user_id, previous_id, event_id, "
    "first_event_at, first_event_id, last_event_at, last_event_id"
)
PAIRS = (
    "id, edge_type, anonymous_id, user_id, previous_id, first_event_at, first_event_id, last_event_at, last_event_id"
)

_ONE = "coalesce(previous_id, user_id)"
_OTHER = "case when previous_id is not null and user_id is not null then user_id else anonymous_id end"


def calls_of(edges: str) -> str:
    """The two ids that each alias call joins, both ways round: the first two of previous_id, user_id and anonymous_id that it has."""
    return " union ".join(
        f"select {one} as one, {other} as other from {edges} as edges where edge_type = 'alias_call' and {_ONE} <> {_OTHER}"
        for one, other in ((_ONE, _OTHER), (_OTHER, _ONE))
    )


TABLES = (
    TableLayout(
        "internal",
        "identity_edges",
        """event_date date, edge_type varchar, anonymous_id varchar, user_id varchar, previous_id varchar, event_id varchar,
        first_event_at timestamp, first_event_id varchar, last_event_at timestamp, last_event_id varchar""",
        # A window's edges are compared and replaced, a device's edges are looked up.
        partitioned_by="event_date",
        clustered_by="anonymous_id",
    ),
    TableLayout(
        "internal",
        "identity_pairs",
        """id varchar, edge_type varchar, anonymous_id varchar, user_id varchar, previous_id varchar,
        first_event_at timestamp, first_event_id varchar, last_event_at timestamp, last_event_id varchar""",
        clustered_by="id",
    ),
    # As dbt makes them before its runs (macros/materializations/change_queue.sql, internal.sql).
    TableLayout(
        "internal",
        "change_queue",
        """sequence bigint, origin varchar, event_date date, alias varchar, previous_visitor_id varchar, dbt_visitor_id varchar,
        partition_date date""",
    ),
    TableLayout(
        "internal",
        "frontier_progress",
        "model varchar, sequence bigint, generation varchar, parents_generation varchar, fingerprint varchar",
    ),
    TableLayout(
        "core",
        "identity_graph",
        "alias varchar, alias_type varchar, dbt_visitor_id varchar, first_seen_at timestamp, last_seen_at timestamp",
        clustered_by="alias",
    ),
    TableLayout(
        "core",
        "identity_changes",
        "alias varchar, previous_visitor_id varchar, dbt_visitor_id varchar, partition_date date, applied_at timestamp",
        partitioned_by="partition_date",
    ),
)


def in_days(days: Iterable[date]) -> str:
    """A condition by literals: a table's event_date is one of these."""
    spans = (f"(event_date >= date '{span.start}' and event_date < date '{span.end}')" for span in ranges([*days]))
    return f"({' or '.join(spans)})"


def written_days(connection: Connection, origin: str, follower: str) -> tuple[int, list[date]]:
    """The newest number of the change queue, and the days that its origin noted after the follower last followed it."""
    followed = f"(select coalesce(max(sequence), 0) from internal.frontier_progress where model = '{follower}')"
    newest = number(connection, "select coalesce(max(sequence), 0) as sequence from internal.change_queue")
    rows = connection.query(
        f"select distinct event_date from internal.change_queue where origin = '{origin}' and sequence > {followed}"
    )
    return newest, [row["event_date"] for row in rows.to_pylist()]


def made_by(connection: Connection, follower: str) -> str:
    """What a table of Python code was made by, as its last run noted it; empty where no run did."""
    rows = connection.query(
        f"select fingerprint from internal.frontier_progress where model = '{follower}'"
    ).to_pylist()
    return str(rows[0]["fingerprint"]) if rows else ""


def following(follower: str, sequence: int, fingerprint: str) -> list[str]:
    """Statements that note how far a table of Python code has followed the queue, and what it is made by."""
    return [
        f"delete from internal.frontier_progress where model = '{follower}'",
        "insert into internal.frontier_progress (model, sequence, generation, parents_generation, fingerprint) "
        f"values ('{follower}', {sequence}, '', '', '{fingerprint}')",
    ]


def number(connection: Connection, sql: str) -> int:
    """The one number that a query gives."""
    (row,) = connection.query(sql).to_pylist()
    return int(next(iter(row.values())))
