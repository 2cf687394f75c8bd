"""The identity graph in the warehouse: which clusters a window's edges touch, and their new names, written in one transaction.

No clock, no Dagster; the rules of who is who are in identity/.

internal.identity_edges holds the edges that the graph was made from. Comparing it with core.identity_edges in the window tells what
has changed there since, so a rerun that changes nothing writes nothing, and a deleted edge is noticed. Only the clusters that a
changed edge touches are worked out again: an unchanged device keeps its link, so links change only where an edge did.

Ids become numbers in the warehouse (members, coded_edges), so that Python holds a few numbers per edge and texts never leave it.
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

    applied_at: naive UTC. A change of settings, or a graph that was dropped, works the whole graph out again.
    """
    with warehouse.connect() as connection:
        for statement in CREATE_TABLES:
            connection.execute(statement)
        with connection.transaction():
            is_first = _number(connection, "select count(*) from internal.identity_edges") == 0
            changed_edges = _take_over_edges(connection, window, is_first)
            is_lost = _number(connection, "select count(*) from core.identity_graph") == 0
            everything = _take_over_settings(connection, settings) or is_first or is_lost
            touched = reassigned = 0
            if changed_edges or everything:
                touched = _find_members(connection, everything)
                reassigned = _rename(connection, settings, window, applied_at)
        aliases = _number(connection, "select count(*) from core.identity_graph")
        visitors = _number(connection, "select count(distinct dbt_visitor_id) from core.identity_graph")
    return GraphUpdate(changed_edges, touched, reassigned, aliases, visitors)


def _number(connection: Connection, sql: str) -> int:
    (row,) = connection.query(sql).to_pylist()
    return int(next(iter(row.values())))


def _take_over_edges(connection: Connection, window: Window, is_first: bool) -> int:
    """Make internal.identity_edges equal core.identity_edges in the window; return how many rows differed.

    Leaves the rows that differed in changed_edges, but for the first time, when all do.
    """
    in_window = f"event_date >= date '{window.start}' and event_date < date '{window.end}'"
    new = f"select {EDGES} from core.identity_edges where {in_window}"
    known = f"select {EDGES} from internal.identity_edges where {in_window}"
    if not is_first:
        connection.execute(
            f"create or replace temp table changed_edges as ({new} except {known}) union all ({known} except {new})"
        )
        if _number(connection, "select count(*) from changed_edges") == 0:
            return 0
        connection.execute(f"delete from internal.identity_edges where {in_window}")
    connection.execute(f"insert into internal.identity_edges ({EDGES}) {new}")
    return _number(connection, f"select count(*) from {'internal.identity_edges' if is_first else 'changed_edges'}")


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


def _find_members(connection: Connection, everything: bool) -> int:
    """Fill members (id, alias), numbered in code-point order, and coded_edges: the edges that name a member, as numbers.

    Members are all aliases, or those of the clusters that changed edges touch.
    """
    aliases = _aliases_of("internal.identity_edges") if everything else _touched_aliases(connection)
    # An alias that no edge names any more stands in the graph alone.
    gone = "union select alias from core.identity_graph" if everything else ""
    connection.execute(f"""
        create or replace temp table members as
        select cast(row_number() over (order by alias) - 1 as integer) as id, alias from ({aliases} {gone}) as aliases""")
    connection.execute(f"""
        create or replace temp table coded_edges as
        select
            devices.id as anonymous,
            users.id as "user",
            earlier.id as previous,
            edges.edge_type = 'alias_call' as is_alias_call,
            edges.first_event_at,
            edges.last_event_at
        from internal.identity_edges as edges
        left join members as devices on edges.anonymous_id = devices.alias
        left join members as users on edges.user_id = users.alias
        left join members as earlier on edges.previous_id = earlier.alias
        {"" if everything else "where devices.id is not null or users.id is not null or earlier.id is not null"}""")
    return _number(connection, "select count(*) from members")


def _aliases_of(edges: str) -> str:
    return f"""
        select anonymous_id as alias from {edges} where anonymous_id is not null
        union select user_id from {edges} where user_id is not null
        union select previous_id from {edges} where previous_id is not null"""


def _touched_aliases(connection: Connection) -> str:
    """A query for the aliases of the clusters that changed edges touch.

    A device whose links may change can reach users that no changed edge names: those that it was kept from by the guard on shared
    devices, or by having been a user itself.
    """
    connection.execute(f"create or replace temp table touched as {_aliases_of('changed_edges')}")
    connection.execute("""
        insert into touched
        select distinct user_id from internal.identity_edges
        where user_id is not null and anonymous_id in (select alias from touched)""")
    return """
        select alias from touched
        union
        select alias from core.identity_graph
        where dbt_visitor_id in (
            select dbt_visitor_id from core.identity_graph where alias in (select alias from touched)
        )"""


def _rename(connection: Connection, settings: IdentitySettings, window: Window, applied_at: datetime) -> int:
    """Work out the members' persons and write them; return how many aliases went to another visitor."""
    connection.execute("""
        create or replace temp table seen as
        select
            id,
            bool_or(is_user) as is_user,
            min(first_event_at) as first_seen_at,
            max(last_event_at) as last_seen_at
        from (
            select anonymous as id, false as is_user, first_event_at, last_event_at from coded_edges
            union all select "user", true, first_event_at, last_event_at from coded_edges
            union all select previous, false, first_event_at, last_event_at from coded_edges
        ) as mentions
        where id is not null
        group by id""")
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
    """The members' sightings, numbered without the members that are no longer seen; and each number's member id."""
    seen = connection.query("select id, is_user, epoch_us(first_seen_at) as first_seen from seen order by id")
    member_of = seen.column("id").to_numpy().astype(np.int32)
    number_of = np.full(_number(connection, "select count(*) from members"), -1, dtype=np.int32)
    number_of[member_of] = np.arange(len(member_of), dtype=np.int32)
    pairs = connection.query(_pairs_sql(settings))
    users = connection.query(_user_counts_sql(settings))
    calls = connection.query("""
        select previous, "user" as current from coded_edges
        where is_alias_call and previous is not null and "user" is not null""")

    def numbers(table: pa.Table, column: str) -> Ids:
        found: Ids = number_of[table.column(column).to_numpy()]
        return found

    place = pairs.column("place").to_numpy().astype(np.int64)
    user_count = np.zeros(len(member_of), dtype=np.int64)
    user_count[numbers(users, "anonymous")] = users.column("user_count").to_numpy()
    return Sightings(
        is_user=seen.column("is_user").to_numpy(zero_copy_only=False).astype(np.bool_),
        first_seen=seen.column("first_seen").to_numpy().astype(np.int64),
        user_count=user_count,
        pair_anonymous=numbers(pairs, "anonymous"),
        pair_user=numbers(pairs, "user"),
        pair_first=place,
        pair_last=place,
        alias_left=numbers(calls, "previous"),
        alias_right=numbers(calls, "current"),
    ), member_of


def _pairs_sql(settings: IdentitySettings) -> str:
    """Each member device's pairs with users, with their place in (timestamp, event_id) order as far as the policy asks.

    Sorting texts is the dear part, so only devices that several users share are put in order. A pair has one row a day, so a
    timestamp stands in one row of it. A user who is no member is of no use: the one that the device belongs to is always a member.
    """
    pairs = """
        select distinct anonymous, "user" from coded_edges
        where not is_alias_call and anonymous is not null and "user" is not null"""
    if settings.policy is Policy.MERGE:
        return f'select anonymous, "user", 0 as place from ({pairs})'
    end, best = ("last", "max") if settings.policy is Policy.LATEST_USER else ("first", "min")
    return f"""
        with pairs as ({pairs}),
        shared as (
            select members.id, members.alias
            from (select anonymous from pairs group by anonymous having count(*) > 1) as several
            inner join members on several.anonymous = members.id
        ),
        dated as (
            select
                shared.id as anonymous,
                edges.user_id,
                {best}(edges.{end}_event_at) as event_at,
                arg_{best}(edges.{end}_event_id, edges.{end}_event_at) as event_id
            from internal.identity_edges as edges
            inner join shared on edges.anonymous_id = shared.alias
            where edges.edge_type = 'identifiers' and edges.user_id is not null
            group by shared.id, edges.user_id
        )
        select anonymous, "user", 0 as place from pairs where anonymous not in (select id from shared)
        union all
        select dated.anonymous, members.id, row_number() over (order by dated.event_at, dated.event_id)
        from dated
        inner join members on dated.user_id = members.alias"""


def _user_counts_sql(settings: IdentitySettings) -> str:
    """How many users each member device was seen with, members or not. Only policy merge asks."""
    return f"""
        select devices.id as anonymous, count(distinct edges.user_id) as user_count
        from internal.identity_edges as edges
        inner join members as devices on edges.anonymous_id = devices.alias
        where edges.edge_type = 'identifiers' and edges.user_id is not null
            and {"true" if settings.policy is Policy.MERGE else "false"}
        group by devices.id"""


def _write_changes(connection: Connection, window: Window, applied_at: datetime) -> int:
    changed = """
        from resolved
        inner join core.identity_graph as graph on resolved.alias = graph.alias
        where resolved.dbt_visitor_id <> graph.dbt_visitor_id"""
    connection.execute(f"""
        insert into core.identity_changes (alias, previous_visitor_id, dbt_visitor_id, partition_date, applied_at)
        select resolved.alias, graph.dbt_visitor_id, resolved.dbt_visitor_id, date '{window.start}', timestamp '{applied_at}'
        {changed}""")
    return _number(connection, f"select count(*) {changed}")


def _write_graph(connection: Connection) -> None:
    connection.execute("delete from core.identity_graph where alias in (select alias from members)")
    connection.execute("""
        insert into core.identity_graph (alias, alias_type, dbt_visitor_id, first_seen_at, last_seen_at)
        select alias, alias_type, dbt_visitor_id, first_seen_at, last_seen_at from resolved""")
