"""Finds the members' persons with the pure functions of identity/.

The warehouse turns ids into numbers, so that Python holds only a few numbers per edge, and texts never leave the warehouse.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sessionization_dagster.identity.graph import Ids, Sightings
from sessionization_dagster.identity.policies import IdentitySettings, Policy, resolve
from sessionization_dagster.identity.store.layouts import calls_of
from sessionization_dagster.warehouses.base import Connection, number


def keep_resolved(
    connection: Connection, settings: IdentitySettings, members: str, edges: str, everything: bool
) -> None:
    """Keep members, and resolved: the graph's rows of the members that edges name.

    Args:
        connection: to the warehouse.
        settings: the identity settings.
        members: a query for the aliases.
        edges: a relation with all pairs of the graph; a pair may have several rows.
        everything: whether members are all aliases.
    """
    _number_members(connection, members, edges, everything)
    sightings, member_of = _sightings(connection, settings, edges)
    named = resolve(sightings, settings)
    connection.register("names", pa.table({"id": member_of, "visitor": member_of[named]}))
    connection.create_temp(
        "resolved",
        """
        select
            members.alias,
            case when seen.is_user then 'user_id' else 'anonymous_id' end as alias_type,
            visitors.alias as dbt_visitor_id,
            seen.first_seen_at,
            seen.last_seen_at
        from names
        inner join members on names.id = members.id
        inner join members as visitors on names.visitor = visitors.id
        inner join seen on names.id = seen.id""",
    )


def _number_members(connection: Connection, members: str, edges: str, everything: bool) -> None:
    """Keep members (id, alias), numbered in code-point order; coded_edges, the edges that name a member, as numbers; and seen."""
    connection.create_temp(
        "members",
        f"select cast(row_number() over (order by alias) - 1 as integer) as id, alias from ({members}) as aliases",
    )
    connection.create_temp(
        "coded_edges",
        f"""
        select
            devices.id as anonymous,
            users.id as "user",
            earlier.id as previous,
            edges.edge_type = 'alias_call' as is_alias_call,
            edges.first_event_at,
            edges.last_event_at
        from {edges} as edges
        left join members as devices on edges.anonymous_id = devices.alias
        left join members as users on edges.user_id = users.alias
        left join members as earlier on edges.previous_id = earlier.alias
        {"" if everything else "where devices.id is not null or users.id is not null or earlier.id is not null"}""",
    )
    connection.create_temp(
        "seen",
        """
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
        group by id""",
    )


def _sightings(connection: Connection, settings: IdentitySettings, edges: str) -> tuple[Sightings, Ids]:
    """The sightings of the members that are still seen, numbered anew, and the member id of each number."""
    seen = connection.query("select id, is_user, first_seen_at from seen").sort_by("id")
    member_of = seen.column("id").to_numpy().astype(np.int32)
    number_of = np.full(number(connection, "select count(*) as aliases from members"), -1, dtype=np.int32)
    number_of[member_of] = np.arange(len(member_of), dtype=np.int32)
    pairs = connection.query(_pairs_sql(settings, edges))
    users = connection.query(_user_counts_sql(edges)) if settings.policy is Policy.MERGE else None
    calls, others = connection.query(_calls_sql(edges)), connection.query(_call_counts_sql(edges))

    def numbers(table: pa.Table, column: str) -> Ids:
        found: Ids = number_of[table.column(column).to_numpy()]
        return found

    place = pairs.column("place").to_numpy().astype(np.int64)
    user_count, alias_count = np.zeros((2, len(member_of)), dtype=np.int64)
    if users is not None:
        user_count[numbers(users, "anonymous")] = users.column("user_count").to_numpy()
    alias_count[numbers(others, "id")] = others.column("other_count").to_numpy()
    return Sightings(
        is_user=seen.column("is_user").to_numpy().astype(np.bool_),
        first_seen=seen.column("first_seen_at").cast(pa.int64()).to_numpy(),
        user_count=user_count,
        pair_anonymous=numbers(pairs, "anonymous"),
        pair_user=numbers(pairs, "user"),
        pair_first=place,
        pair_last=place,
        alias_left=numbers(calls, "one"),
        alias_right=numbers(calls, "other"),
        alias_count=alias_count,
    ), member_of


def _pairs_sql(settings: IdentitySettings, edges: str) -> str:
    """Each member device's pairs with users, with their place in (timestamp, event_id) order if the policy needs it.

    Sorting texts is the expensive part, so only devices that several users share are sorted. If a pair has several rows, they are of
    different days, so a timestamp occurs in only one of them. Users that are not members are left out: the user that the device belongs
    to is always a member.
    """
    pairs = """
        select distinct anonymous, "user" from coded_edges
        where not is_alias_call and anonymous is not null and "user" is not null"""
    if settings.policy is Policy.MERGE:
        return f'select anonymous, "user", 0 as place from ({pairs}) as pairs'
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
            from {edges} as edges
            inner join shared on edges.anonymous_id = shared.alias
            where edges.edge_type = 'identifiers' and edges.user_id is not null
            group by shared.id, edges.user_id
        )
        select anonymous, "user", 0 as place from pairs where anonymous not in (select id from shared)
        union all
        select dated.anonymous, members.id, row_number() over (order by dated.event_at, dated.event_id)
        from dated
        inner join members on dated.user_id = members.alias"""


def _user_counts_sql(edges: str) -> str:
    """How many users each member device was seen with, members or not."""
    return f"""
        select devices.id as anonymous, count(distinct edges.user_id) as user_count
        from {edges} as edges
        inner join members as devices on edges.anonymous_id = devices.alias
        where edges.edge_type = 'identifiers' and edges.user_id is not null
        group by devices.id"""


def _calls_sql(edges: str) -> str:
    """The pairs of members that alias calls name."""
    return f"""
        select ones.id as one, others.id as other
        from ({calls_of(edges)}) as calls
        inner join members as ones on calls.one = ones.alias
        inner join members as others on calls.other = others.alias"""


def _call_counts_sql(edges: str) -> str:
    """How many other ids alias calls join each member with, members or not."""
    return f"""
        select members.id, count(*) as other_count
        from ({calls_of(edges)}) as calls
        inner join members on calls.one = members.alias
        group by members.id"""
