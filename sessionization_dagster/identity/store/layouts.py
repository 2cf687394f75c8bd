"""The tables of the identity graph, and the columns of its edges and pairs."""

from __future__ import annotations

from sessionization_dagster.warehouses.base import TableLayout
from sessionization_dagster.warehouses.change_queue import QUEUE_TABLES

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
    """The two ids that each alias call joins, in both directions: the first two that it has of previous_id, user_id and anonymous_id."""
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
        # A window's edges are compared and replaced; a device's edges are looked up.
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
    *QUEUE_TABLES,
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
