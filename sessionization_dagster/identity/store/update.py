"""One run's update of the identity graph: finds the clusters that a window's edges touch, and writes their new names in one transaction.

internal.identity_edges holds the edges that the graph was made from. It is compared with core.identity_edges on the run's days, and on
the days that were written since the last update (internal.change_queue). So a rerun that changes nothing writes nothing. A deleted
edge is noticed, and so is an edge of a run that stopped before the graph. Only the clusters that a changed edge touches are computed
again: an unchanged device keeps its link, so links change only where an edge did.

internal.identity_pairs holds the same edges without their days, one row per pair of ids over all time. Its `id` is the device, or the
user if there is no device. Lookups over all time use this table, because the same people return day after day.

Everything is read and computed first, into temporary tables of the connection. The writes then take effect together.
"""

from __future__ import annotations

import ast
import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path

from sessionization_dagster import identity
from sessionization_dagster.identity.policies import IdentitySettings
from sessionization_dagster.identity.store import in_memory, in_sql
from sessionization_dagster.identity.store.layouts import EDGES, PAIRS, TABLES, calls_of
from sessionization_dagster.warehouses.base import Connection, Warehouse, number
from sessionization_dagster.warehouses.change_queue import EVERY_DAY, following, in_days, made_by, written_days
from sessionization_dagster.window import Window

# Above this number the warehouse itself is faster and takes less memory: 1.6 s for 660,000 edges, against 1.8 s in Python. For 10 million
# edges, numbering and joining them no longer fits in DuckDB's memory limit.
IN_MEMORY_LIMIT = 300_000
GRAPH = "identity_graph"


@dataclass(frozen=True)
class GraphUpdate:
    """What one run did to the graph, as numbers of rows."""

    changed_edges: int
    touched_aliases: int
    reassigned_aliases: int
    aliases: int
    visitors: int


def update_identity_graph(
    warehouse: Warehouse,
    window: Window,
    settings: IdentitySettings,
    applied_at: datetime,
    in_memory_limit: int = IN_MEMORY_LIMIT,
) -> GraphUpdate:
    """Apply the window's edges to the graph, and append every alias whose visitor changed to identity_changes.

    applied_at: naive UTC. The whole graph is computed again if the settings or the rules' code changed, or if a table was dropped.
    in_memory_limit: above this number of pairs (for the whole graph) or of touched aliases, the warehouse finds the persons.
    """
    with warehouse.connect() as connection:
        for table in TABLES:
            connection.create_missing(table)
        newest, days = written_days(connection, "identity_edges", GRAPH)
        store = _Store(connection, [*days, *window.days])
        is_new = number(connection, "select count(*) from internal.identity_edges") == 0
        is_first = is_new or number(connection, "select count(*) from internal.identity_pairs") == 0
        is_lost = number(connection, "select count(*) from core.identity_graph") == 0
        changed_edges = store.find_changed_edges(is_new)
        is_changed = made_by(connection, GRAPH) != fingerprint(settings)
        everything = is_changed or is_first or is_lost
        writes = store.taking_over_edges() if changed_edges else []
        if is_first:
            writes += store.all_pairs()
        elif changed_edges:
            writes += store.changed_pairs()
        touched = reassigned = 0
        if changed_edges or everything:
            touched = store.find_persons(settings, everything, in_memory_limit)
            reassigned = number(connection, f"select count(*) as aliases {REASSIGNED}")
            writes += _renaming(window, applied_at)
        if writes or days or is_changed:
            connection.in_transaction([*writes, *following(GRAPH, newest, fingerprint(settings))])
        # A person is named by one of their aliases.
        (size,) = connection.query(
            "select count(*) as aliases, count(case when alias = dbt_visitor_id then 1 end) as visitors from core.identity_graph"
        ).to_pylist()
    return GraphUpdate(changed_edges, touched, reassigned, size["aliases"], size["visitors"])


def fingerprint(settings: IdentitySettings) -> str:
    """What determines the graph: the settings, and the rules' code without its comments."""
    text = f"{settings.policy.value} {settings.max_users_per_alias} {_rules()}"
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@cache
def _rules() -> str:
    folder = Path(identity.__file__).parent
    files = [*sorted(folder.glob("*.py")), folder / "store" / "in_sql.py", folder / "store" / "layouts.py"]
    return "".join(ast.dump(ast.parse(file.read_text())) for file in files)


@dataclass
class _Store:
    """The edges, and the temporary tables made from them while one window is applied.

    Attributes:
        connection: to the warehouse.
        days: the days whose edges are copied from core.identity_edges.
        edges: a relation with all edges of the graph as they are after that copy.
        pairs: a relation with the same edges without their days; a pair may have several rows.
    """

    connection: Connection
    days: list[date]
    edges: str = "internal.identity_edges"
    pairs: str = "internal.identity_pairs"

    @property
    def _in_window(self) -> str:
        return in_days(self.days)

    def find_changed_edges(self, is_new: bool) -> int:
        """How many edges in the window differ from the graph's. They are kept, except the first time, when all differ.

        Sets edges and pairs to those that the graph will have. With a filter that leaves out rows DuckDB assumes that a table is small and
        builds hash tables from it. So a whole table has only the bound that all dates meet, without which BigQuery may refuse the query.
        """
        new = f"select {EDGES} from core.identity_edges where {self._in_window}"
        others = f"select {EDGES} from internal.identity_edges where not {self._in_window}"
        self.edges = f"({others} union all {new})"
        if is_new:
            everything = f"(select * from core.identity_edges where {EVERY_DAY})"
            (found,) = self.connection.query(
                f"select count(*) as edges, sum(case when {self._in_window} then 1 else 0 end) as changed from {everything} as edges"
            ).to_pylist()
            if found["edges"] == found["changed"]:
                self.edges = everything
            return int(found["changed"] or 0)
        known = f"select {EDGES} from internal.identity_edges where {self._in_window}"
        self.connection.create_temp(
            "changed_edges",
            f"""
            select *, false as is_gone from ({new} except {known}) as come
            union all
            select *, true as is_gone from ({known} except {new}) as gone""",
        )
        changed = number(self.connection, "select count(*) as edges from changed_edges")
        if not changed:
            self.edges = "internal.identity_edges"
        return changed

    def all_pairs(self) -> list[str]:
        """Statements that make internal.identity_pairs from all edges."""
        self.connection.create_temp("changed_pairs", _pairs_of(self.edges))
        self.pairs = "changed_pairs"
        return ["delete from internal.identity_pairs where true", *_PAIRS_WRITTEN]

    def changed_pairs(self) -> list[str]:
        """Statements that update it where edges changed. If edges were only added, the edges of other days are not read."""
        self.connection.create_temp(
            "changed_ids", f"select {_PAIR_ID} as id, bool_or(is_gone) as lost from changed_edges group by 1"
        )
        come = f"select {PAIRS} from (select *, {_PAIR_ID} as id from changed_edges) as come"
        sightings = f"""
            select {PAIRS} from internal.identity_pairs where id in (select id from changed_ids where not lost)
            union all
            {come} where id in (select id from changed_ids where not lost)"""
        if number(self.connection, "select count(*) as ids from changed_ids where lost"):
            sightings += f"""
                union all
                select {PAIRS} from (select *, {_PAIR_ID} as id from {self.edges} as edges) as left_over
                where id in (select id from changed_ids where lost)"""
            self.pairs = f"""(
                select {PAIRS} from internal.identity_pairs where id not in (select id from changed_ids)
                union all select {PAIRS} from changed_pairs)"""
        else:
            self.pairs = f"(select {PAIRS} from internal.identity_pairs union all {come})"
        self.connection.create_temp("changed_pairs", _pairs_of(f"({sightings})"))
        return ["delete from internal.identity_pairs where id in (select id from changed_ids)", *_PAIRS_WRITTEN]

    def taking_over_edges(self) -> list[str]:
        """Statements that make internal.identity_edges equal core.identity_edges in the window."""
        return [
            f"delete from internal.identity_edges where {self._in_window}",
            f"insert into internal.identity_edges ({EDGES}) select {EDGES} from core.identity_edges where {self._in_window}",
        ]

    def find_persons(self, settings: IdentitySettings, everything: bool, in_memory_limit: int) -> int:
        """Keep members (the aliases concerned) and resolved (their new rows of the graph); return the number of members.

        Members are all aliases, or those of the clusters that changed edges touch.
        """
        if everything:
            # An alias that no edge names any more is only in the graph.
            members = f"{_aliases_of(self.pairs)} union select alias from core.identity_graph"
            size = number(self.connection, f"select count(*) as pairs from {self.pairs} as pairs")
        else:
            self._keep_touched_clusters()
            members = "select alias from touched_clusters"
            size = number(self.connection, "select count(*) as aliases from touched_clusters")
        way = in_memory if size <= in_memory_limit else in_sql
        way.keep_resolved(self.connection, settings, members, self.pairs, everything)
        return number(self.connection, "select count(*) as aliases from members")

    def _keep_touched_clusters(self) -> None:
        """Keep the aliases of the clusters that changed edges touch.

        An id whose links may change can reach ids that no changed edge names: ids that the guard on shared devices kept it from, or ids
        that it was not linked with because it was a user itself.
        """
        self.connection.create_temp("named", _aliases_of("changed_edges"))
        self.connection.create_temp(
            "touched",
            f"""
            select alias from named
            union
            select user_id from {self.pairs} as pairs
            where user_id is not null and anonymous_id in (select alias from named)
            union
            select other from ({calls_of(self.pairs)}) as calls
            where one in (select alias from named)""",
        )
        self.connection.create_temp(
            "touched_clusters",
            """
            select alias from touched
            union
            select alias from core.identity_graph
            where dbt_visitor_id in (
                select dbt_visitor_id from core.identity_graph where alias in (select alias from touched)
            )""",
        )


#: The `id` of the row of internal.identity_pairs that an edge belongs to.
_PAIR_ID = "coalesce(anonymous_id, user_id, previous_id)"
_PAIRS_WRITTEN = [f"insert into internal.identity_pairs ({PAIRS}) select {PAIRS} from changed_pairs"]


def _pairs_of(edges: str) -> str:
    """Edges without their days. A moment is on one day, so the first and the last event of an identifier pair are each in one edge.

    Several alias calls can share a moment, but the event of an alias call is never needed.
    """
    return f"""
        select
            {_PAIR_ID} as id,
            edge_type,
            anonymous_id,
            user_id,
            previous_id,
            min(edges.first_event_at) as first_event_at,
            case when edge_type = 'identifiers' then arg_min(edges.first_event_id, edges.first_event_at) end as first_event_id,
            max(edges.last_event_at) as last_event_at,
            case when edge_type = 'identifiers' then arg_max(edges.last_event_id, edges.last_event_at) end as last_event_id
        from {edges} as edges
        group by edge_type, anonymous_id, user_id, previous_id"""


def _aliases_of(edges: str) -> str:
    return f"""
        select anonymous_id as alias from {edges} as edges where anonymous_id is not null
        union select user_id from {edges} as edges where user_id is not null
        union select previous_id from {edges} as edges where previous_id is not null"""


_NEXT_CHANGE = """(
    select coalesce(max(sequence), 0) + 1
    from (select sequence from internal.change_queue union all select sequence from internal.frontier_progress) as seen
)"""
REASSIGNED = """
    from resolved
    inner join core.identity_graph as graph on resolved.alias = graph.alias
    where resolved.dbt_visitor_id <> graph.dbt_visitor_id"""


def _renaming(window: Window, applied_at: datetime) -> list[str]:
    """Statements that replace the graph's rows and record the changes."""
    return [
        f"""
        insert into core.identity_changes (alias, previous_visitor_id, dbt_visitor_id, partition_date, applied_at)
        select resolved.alias, graph.dbt_visitor_id, resolved.dbt_visitor_id, date '{window.start}', timestamp '{applied_at}'
        {REASSIGNED}""",
        # For the roots of the session tables, whatever days they run for next. They may be past the days of an alias that is new here.
        f"""
        insert into internal.change_queue (sequence, origin, alias, previous_visitor_id, dbt_visitor_id, partition_date)
        select {_NEXT_CHANGE}, 'identity_graph', resolved.alias, graph.dbt_visitor_id, resolved.dbt_visitor_id, date '{window.start}'
        from resolved
        left join core.identity_graph as graph on resolved.alias = graph.alias
        where graph.dbt_visitor_id is null or resolved.dbt_visitor_id <> graph.dbt_visitor_id""",
        "delete from core.identity_graph where alias in (select alias from members)",
        """
        insert into core.identity_graph (alias, alias_type, dbt_visitor_id, first_seen_at, last_seen_at)
        select alias, alias_type, dbt_visitor_id, first_seen_at, last_seen_at from resolved""",
    ]
