"""Random histories of the identity graph's input, on any warehouse: events come and go, days are run, and the oracle says who is who."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

import pyarrow as pa

from sessionization_dagster.identity.policies import IdentitySettings, Policy
from sessionization_dagster.identity.store import GraphUpdate, update_identity_graph
from sessionization_dagster.identity.store.layouts import PAIRS
from sessionization_dagster.warehouses.base import Connection, TableLayout, Warehouse
from sessionization_dagster.window import Window
from tests.oracle.identity import identity_graph, visitors
from tests.oracle.inputs import Event, RawRow, Settings
from tests.oracle.intake import take_in

FIRST = date(2024, 1, 1)
DAYS = 4
IDS = [f"d{n}" for n in range(7)] + ["u0", "u1", "ü", "Z z"]
USERS = [f"u{n}" for n in range(6)] + ["d0", "ü"]
COLUMNS = (
    "event_date date, edge_type varchar, anonymous_id varchar, user_id varchar, previous_id varchar, event_id varchar, "
    "first_event_at timestamp, first_event_id varchar, last_event_at timestamp, last_event_id varchar"
)
TYPES = {"date": pa.date32(), "varchar": pa.string(), "timestamp": pa.timestamp("us")}
SCHEMA = pa.schema([(name, TYPES[kind]) for name, kind in (column.split(" ") for column in COLUMNS.split(", "))])
TABLES = {
    "core.identity_graph": "alias, alias_type, dbt_visitor_id, first_seen_at, last_seen_at",
    "core.identity_changes": "alias, previous_visitor_id, dbt_visitor_id, partition_date, applied_at",
    "internal.identity_edges": ", ".join(SCHEMA.names),
    "internal.identity_pairs": PAIRS,
}


@dataclass
class History:
    """The present raw rows by day, and the changes to them; the same seed gives the same history."""

    seed: int
    rows: dict[date, list[RawRow]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        policy = self._chance.choice(list(Policy))
        self.settings = IdentitySettings(policy, self._chance.choice([1, 2, 5]))

    def steps(self, count: int) -> Iterator[Window]:
        """Change the rows of a window and give the window to run; at first all days."""
        yield self._rewritten(FIRST, DAYS)
        for _ in range(count):
            first = self._chance.randrange(DAYS)
            if self._chance.random() < 0.15:
                policy = self._chance.choice(list(Policy))
                self.settings = IdentitySettings(policy, self.settings.max_users_per_alias)
            yield self._rewritten(FIRST + timedelta(days=first), self._chance.randrange(1, DAYS - first + 1))

    def _rewritten(self, first: date, days: int) -> Window:
        for day in (first + timedelta(days=number) for number in range(days)):
            kept = [row for row in self.rows.get(day, []) if self._chance.random() < 0.8]
            self.rows[day] = kept + [self._row(day) for _ in range(self._chance.choice([0, 1, 4, 8]))]
        return Window(first, first + timedelta(days=days))

    def _row(self, day: date) -> RawRow:
        chance = self._chance
        at = datetime(day.year, day.month, day.day) + timedelta(microseconds=chance.randrange(6))
        event_id = f"e{chance.randrange(10**6):06}"
        if chance.random() < 0.2:
            previous, user = chance.choice([*IDS, IDS[0], IDS[0], None]), chance.choice([*USERS, *USERS, None])
            device = chance.choice([*IDS, *[None] * len(IDS)])
            return RawRow("aliases", event_id, device, user, previous, at)
        user = chance.choice(USERS) if chance.random() < 0.5 else None
        device = chance.choice(IDS) if user is None or chance.random() < 0.9 else None
        return RawRow("tracks", event_id, anonymous_id=device, user_id=user, timestamp=at, event="e")

    def events(self) -> list[Event]:
        """The accepted events."""
        accepted, _ = take_in([row for rows in self.rows.values() for row in rows], self._oracle_settings, FIRST, LAST)
        return list(accepted)

    @property
    def _oracle_settings(self) -> Settings:
        return Settings(
            identity_policy=self.settings.policy.value, max_users_per_alias=self.settings.max_users_per_alias
        )

    def expected_graph(self) -> list[dict[str, Any]]:
        """The graph of a full rebuild, as the oracle sees it."""
        events = self.events()
        names = TABLES["core.identity_graph"].split(", ")
        found = identity_graph(events, visitors(events, self._oracle_settings))
        return sorted(({name: row[name] for name in names} for row in found), key=lambda row: row["alias"])


LAST = FIRST + timedelta(days=DAYS - 1)


def edges_of(events: Sequence[Event]) -> pa.Table:
    """Rows of core.identity_edges."""
    rows: list[dict[str, Any]] = []
    for event in events:
        if event.event_type == "alias":
            rows.append(_edge("alias_call", [event], previous_id=event.previous_id, event_id=event.event_id))

    def pair(event: Event) -> tuple[date, str, str]:
        return event.event_date, event.anonymous_id or "", event.user_id or ""

    others = sorted((e for e in events if e.event_type != "alias" or (e.anonymous_id and e.user_id)), key=pair)
    rows += [_edge("identifiers", list(its)) for _, its in groupby(others, key=pair)]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _edge(edge_type: str, events: list[Event], **more: Any) -> dict[str, Any]:
    first, last = (end(events, key=lambda event: event.login_order) for end in (min, max))
    return {
        "event_date": first.event_date, "edge_type": edge_type,
        "anonymous_id": first.anonymous_id, "user_id": first.user_id,
        "first_event_at": first.timestamp, "first_event_id": first.event_id,
        "last_event_at": last.timestamp, "last_event_id": last.event_id,
        **more,
    }  # fmt: skip


def apply(warehouse: Warehouse, history: History, window: Window, in_memory_limit: int) -> GraphUpdate:
    """Make core.identity_edges what the history's events say, and run the window."""
    with warehouse.connect() as connection:
        connection.create_missing(TableLayout("core", "identity_edges", COLUMNS))
        connection.register("incoming", edges_of(history.events()))
        names = ", ".join(SCHEMA.names)
        connection.in_transaction(
            [
                "delete from core.identity_edges where true",
                f"insert into core.identity_edges ({names}) select {names} from incoming",
            ]
        )
    return update_identity_graph(warehouse, window, history.settings, datetime(2024, 1, 9, 1, 2, 3), in_memory_limit)


def contents(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """The rows of all tables of the graph, in an order of their own."""
    found = {name: connection.query(f"select {columns} from {name}").to_pylist() for name, columns in TABLES.items()}
    return {name: sorted(rows, key=lambda row: [str(value) for value in row.values()]) for name, rows in found.items()}
