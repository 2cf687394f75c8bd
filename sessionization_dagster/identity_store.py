"""The identity graph in the warehouse: which clusters a window's edges touch, and their new names, written in one transaction.

No clock, no Dagster; the rules of who is who are in identity/.

internal.identity_edges holds the edges that the graph was made from. Comparing it with core.identity_edges in the window tells what
has changed there since, so a rerun that changes nothing writes nothing, and a deleted edge is noticed. Only the clusters that a
changed edge touches are worked out again: an unchanged device keeps its link, so links change only where an edge did.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa

from sessionization_dagster.identity.graph import Ids, Sightings
from sessionization_dagster.identity.policies import IdentitySettings, Policy, resolve
from sessionization_dagster.partitions import Window
from sessionization_dagster.warehouses.base import Connection, Warehouse

EDGES = (
    "event_date, edge_type, anonymous_id, user_id, previous_id, event_id, "
    "first_event_at, first_event_id, last_event_at, last_event_id"
)

CREATE_TABLES = (
    "create schema if not exists internal",
    """create table if not exists internal.identity_edges (
        event_date date, edge_type varchar, anonymous_id varchar, user_id varchar, previous_id varchar, event_id varchar,
        first_event_at timestamp, first_event_id varchar, last_event_at timestamp, last_event_id varchar)""",
    "create table if not exists internal.identity_settings (identity_policy varchar, max_users_per_alias bigint)",
    "create schema if not exists core",
    """create table if not exists core.identity_graph (
        alias varchar, alias_type varchar, dbt_visitor_id varchar, first_seen_at timestamp, last_seen_at timestamp)""",
    """create table if not exists core.identity_changes (
        alias varchar, previous_visitor_id varchar, dbt_visitor_id varchar, partition_date date, applied_at timestamp)""",
)


@dataclass(frozen=True)
class GraphUpdate:
    """What one run did to the graph: numbers of rows."""

    changed_edges: int
    touched_aliases: int
    reassigned_aliases: int
    aliases: int
    visitors: int


def update_identity_graph(
    warehouse: Warehouse, window: Window, settings: IdentitySettings, applied_at: datetime
) -> GraphUpdate:
    """Apply the window's edges to the graph, and append every alias whose visitor changed to identity_changes.

    applied_at: naive UTC. A change of settings works the whole graph out again.
    """
    with warehouse.connect() as connection:
        for statement in CREATE_TABLES:
            connection.execute(statement)
        with connection.transaction():
            changed_edges = _take_over_edges(connection, window)
            settings_changed = _take_over_settings(connection, settings)
            if changed_edges or settings_changed:
                touched = _find_touched_members(connection, everything=settings_changed)
                reassigned = _rename(connection, settings, window, applied_at)
            else:
                touched = reassigned = 0
        aliases, visitors = _row(connection, "select count(*), count(distinct dbt_visitor_id) from core.identity_graph")
    return GraphUpdate(changed_edges, touched, reassigned, aliases, visitors)


def _row(connection: Connection, sql: str) -> list[int]:
    return list(connection.query(sql).to_pylist()[0].values())


def _take_over_edges(connection: Connection, window: Window) -> int:
    """Make internal.identity_edges equal core.identity_edges in the window; the difference is kept as changed_edges."""
    in_window = f"event_date >= date '{window.start}' and event_date < date '{window.end}'"
    new = f"select {EDGES} from core.identity_edges where {in_window}"
    known = f"select {EDGES} from internal.identity_edges where {in_window}"
    connection.execute(
        f"create or replace temp table changed_edges as ({new} except {known}) union all ({known} except {new})"
    )
    (changed,) = _row(connection, "select count(*) from changed_edges")
    if changed:
        connection.execute(f"delete from internal.identity_edges where {in_window}")
        connection.execute(f"insert into internal.identity_edges ({EDGES}) {new}")
    return int(changed)


def _take_over_settings(connection: Connection, settings: IdentitySettings) -> bool:
    """Remember the settings that the graph is made with; True where they differ from those it was made with."""
    before = connection.query("select identity_policy, max_users_per_alias from internal.identity_settings").to_pylist()
    now = [{"identity_policy": settings.policy.value, "max_users_per_alias": settings.max_users_per_alias}]
    if before == now:
        return False
    connection.execute("delete from internal.identity_settings")
    connection.execute(
        f"insert into internal.identity_settings values ('{settings.policy.value}', {settings.max_users_per_alias})"
    )
    return bool(before)


def _find_touched_members(connection: Connection, everything: bool) -> int:
    """Fill members (id, alias): all aliases of the clusters that changed edges touch, numbered in code-point order."""
    edges = "internal.identity_edges" if everything else "changed_edges"
    connection.execute(f"""
        create or replace temp table touched as
        select anonymous_id as alias from {edges} where anonymous_id is not null
        union select user_id from {edges} where user_id is not null
        union select previous_id from {edges} where previous_id is not null""")
    # A device whose links may change can reach users that no changed edge names: those that it was kept from by the guard on
    # shared devices, or by having been a user itself.
    connection.execute("""
        insert into touched
        select distinct user_id from internal.identity_edges
        where user_id is not null and anonymous_id in (select alias from touched)""")
    connection.execute("""
        create or replace temp table members as
        with clusters as (
            select distinct dbt_visitor_id from core.identity_graph where alias in (select alias from touched)
        ),
        aliases as (
            select alias from touched
            union
            select alias from core.identity_graph where dbt_visitor_id in (select dbt_visitor_id from clusters)
        )
        select cast(row_number() over (order by alias) - 1 as integer) as id, alias from aliases""")
    (touched,) = _row(connection, "select count(*) from members")
    return int(touched)


def _rename(connection: Connection, settings: IdentitySettings, window: Window, applied_at: datetime) -> int:
    """Work out the members' persons and write them; return how many aliases went to another visitor."""
    connection.execute("""
        create or replace temp table seen as
        select
            members.id,
            bool_or(mentions.is_user) as is_user,
            min(mentions.first_event_at) as first_seen_at,
            max(mentions.last_event_at) as last_seen_at
        from members
        inner join (
            select anonymous_id as alias, false as is_user, first_event_at, last_event_at from internal.identity_edges
            union all select user_id, true, first_event_at, last_event_at from internal.identity_edges
            union all select previous_id, false, first_event_at, last_event_at from internal.identity_edges
        ) as mentions on members.alias = mentions.alias
        group by members.id""")
    sightings, member_of = _sightings(connection, settings)
    named = resolve(sightings, settings)
    connection.bind("named", pa.table({"id": member_of, "visitor": member_of[named]}))
    connection.execute("""
        create or replace temp table resolved as
        select
            members.alias,
            case when seen.is_user then 'user_id' else 'anonymous_id' end as alias_type,
            visitors.alias as dbt_visitor_id,
            seen.first_seen_at,
            seen.last_seen_at
        from named
        inner join members on named.id = members.id
        inner join members as visitors on named.visitor = visitors.id
        inner join seen on named.id = seen.id""")
    reassigned = _write_changes(connection, window, applied_at)
    _write_graph(connection)
    return reassigned


def _sightings(connection: Connection, settings: IdentitySettings) -> tuple[Sightings, Ids]:
    """The members' sightings, numbered without the members that are no longer seen; and each number's member id.

    Where a pair's other end is no member it counts as -1.
    """
    seen = connection.query("select id, is_user, epoch_us(first_seen_at) as first_seen from seen order by id")
    member_of = seen.column("id").to_numpy().astype(np.int32)
    (size,) = _row(connection, "select count(*) from members")
    number_of = np.full(size + 1, -1, dtype=np.int32)  # the last place answers for -1
    number_of[member_of] = np.arange(len(member_of), dtype=np.int32)
    pairs = connection.query(_pairs_sql(settings))
    calls = connection.query("""
        select earlier.id as previous, later.id as current
        from internal.identity_edges as calls
        inner join members as earlier on calls.previous_id = earlier.alias
        inner join members as later on calls.user_id = later.alias
        where calls.edge_type = 'alias_call'""")

    def numbers(table: pa.Table, column: str) -> Ids:
        found: Ids = number_of[table.column(column).to_numpy()]
        return found

    return Sightings(
        is_user=seen.column("is_user").to_numpy(zero_copy_only=False).astype(np.bool_),
        first_seen=seen.column("first_seen").to_numpy().astype(np.int64),
        pair_anonymous=numbers(pairs, "anonymous"),
        pair_user=numbers(pairs, "user"),
        pair_first=pairs.column("first_rank").to_numpy().astype(np.int64),
        pair_last=pairs.column("last_rank").to_numpy().astype(np.int64),
        alias_left=numbers(calls, "previous"),
        alias_right=numbers(calls, "current"),
    ), member_of


def _pairs_sql(settings: IdentitySettings) -> str:
    """Each member device's pairs with users. Policy merge does not ask which came first, and sorting them is the dear part."""
    ranks = {
        Policy.LATEST_USER: "0 as first_rank, row_number() over (order by last_event) as last_rank",
        Policy.FIRST_USER: "row_number() over (order by first_event) as first_rank, 0 as last_rank",
        Policy.MERGE: "0 as first_rank, 0 as last_rank",
    }
    return f"""
        select pairs.anonymous, coalesce(users.id, -1) as "user", {ranks[settings.policy]}
        from (
            select
                devices.id as anonymous,
                edges.user_id,
                min((edges.first_event_at, edges.first_event_id)) as first_event,
                max((edges.last_event_at, edges.last_event_id)) as last_event
            from internal.identity_edges as edges
            inner join members as devices on edges.anonymous_id = devices.alias
            where edges.edge_type = 'identifiers' and edges.user_id is not null
            group by devices.id, edges.user_id
        ) as pairs
        left join members as users on pairs.user_id = users.alias"""


def _write_changes(connection: Connection, window: Window, applied_at: datetime) -> int:
    changed = """
        from resolved
        inner join core.identity_graph as graph on resolved.alias = graph.alias
        where resolved.dbt_visitor_id <> graph.dbt_visitor_id"""
    (reassigned,) = _row(connection, f"select count(*) {changed}")
    connection.execute(f"""
        insert into core.identity_changes (alias, previous_visitor_id, dbt_visitor_id, partition_date, applied_at)
        select resolved.alias, graph.dbt_visitor_id, resolved.dbt_visitor_id, date '{window.start}', timestamp '{applied_at}'
        {changed}""")
    return int(reassigned)


def _write_graph(connection: Connection) -> None:
    connection.execute("delete from core.identity_graph where alias in (select alias from members)")
    connection.execute("""
        insert into core.identity_graph (alias, alias_type, dbt_visitor_id, first_seen_at, last_seen_at)
        select alias, alias_type, dbt_visitor_id, first_seen_at, last_seen_at from resolved""")
