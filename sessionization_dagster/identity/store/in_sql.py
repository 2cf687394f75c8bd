"""Finds the members' persons in the warehouse, for graphs that do not fit in memory: the rules of identity/ a second time, as SQL.

Connected components by alternating large-star and small-star steps (Kiveris et al., "Connected Components in MapReduce and Beyond",
2014): each is a join and a group by over links that never grow in number, and a few rounds make every component a star around its
smallest id. Ids stay texts: numbering them would sort them all in one place.
"""

from __future__ import annotations

from sessionization_dagster.identity.policies import IdentitySettings, Policy
from sessionization_dagster.identity.store.layouts import calls_of
from sessionization_dagster.warehouses.base import Connection, number


def keep_resolved(
    connection: Connection, settings: IdentitySettings, members: str, edges: str, everything: bool
) -> None:
    """Keep members, and resolved: the graph's rows of the members that edges name. For the arguments see in_memory.keep_resolved."""
    connection.create_temp("members", members)
    _keep_seen(connection, edges, everything)
    _keep_links(connection, settings, edges, everything)
    shrink_to_stars(connection)
    connection.create_temp(
        "resolved",
        """
        select
            seen.alias,
            case when seen.is_user then 'user_id' else 'anonymous_id' end as alias_type,
            first_value(seen.alias) over (
                partition by coalesce(links.parent, seen.alias)
                order by case when seen.is_user then 0 else 1 end, seen.first_seen_at, seen.alias
                rows between unbounded preceding and unbounded following
            ) as dbt_visitor_id,
            seen.first_seen_at,
            seen.last_seen_at
        from seen
        left join links on seen.alias = links.child""",
    )


def _of_members(column: str, everything: bool) -> str:
    return f"{column} is not null" if everything else f"{column} in (select alias from members)"


def _keep_seen(connection: Connection, edges: str, everything: bool) -> None:
    mentions = " union all ".join(
        f"""
        select {column} as alias, {is_user} as is_user, first_event_at, last_event_at
        from {edges} as edges where {_of_members(column, everything)}"""
        for column, is_user in (("anonymous_id", "false"), ("user_id", "true"), ("previous_id", "false"))
    )
    connection.create_temp(
        "seen",
        f"""
        select
            alias,
            bool_or(is_user) as is_user,
            min(first_event_at) as first_seen_at,
            max(last_event_at) as last_seen_at
        from ({mentions}) as mentions
        group by alias""",
    )


def _keep_links(connection: Connection, settings: IdentitySettings, edges: str, everything: bool) -> None:
    """Keep links (child, parent), the larger id first: alias calls, and the pairs that the policy links."""
    connection.create_temp("calls", _linking_calls(settings.max_users_per_alias, edges, everything))
    linking = (
        _merged_pairs(settings.max_users_per_alias) if settings.policy is Policy.MERGE else _owners(settings.policy)
    )
    identifiers = f"""
        select anonymous_id, user_id, first_event_at, first_event_id, last_event_at, last_event_id from {edges} as edges
        where edge_type = 'identifiers' and user_id is not null and {_of_members("anonymous_id", everything)}"""
    connection.create_temp(
        "links",
        f"""
        with sightings as ({identifiers}),
        linking as ({linking} union all select one, other from calls)
        select distinct greatest(anonymous_id, user_id) as child, least(anonymous_id, user_id) as parent
        from linking
        where anonymous_id <> user_id""",
    )


def _linking_calls(max_users_per_alias: int, edges: str, everything: bool) -> str:
    """The ids that alias calls join, in both directions, without the calls of ids that are joined with too many others."""
    return f"""
        with calls as (
            select one, other from ({calls_of(edges)}) as calls
            where {_of_members("one", everything)} or {_of_members("other", everything)}
        ),
        shared as (select one from calls group by one having count(*) > {max_users_per_alias})
        select one, other from calls
        where
            {_of_members("one", everything)} and {_of_members("other", everything)}
            and one not in (select one from shared) and other not in (select one from shared)"""


def _merged_pairs(max_users_per_alias: int) -> str:
    """Every pair except those of shared devices. A device seen with too many users links nobody."""
    return f"""
        select sightings.anonymous_id, sightings.user_id
        from sightings
        inner join (
            select anonymous_id from sightings group by anonymous_id
            having count(distinct user_id) <= {max_users_per_alias}
        ) as own on sightings.anonymous_id = own.anonymous_id"""


def _owners(policy: Policy) -> str:
    """The one pair per device that decides whose the device is: the pair of its newest (oldest) event with both ids.

    An id that is itself a user stays that user. An id that a linking alias call names follows the alias.
    """
    order = (
        "last_event_at desc, last_event_id desc" if policy is Policy.LATEST_USER else "first_event_at, first_event_id"
    )
    return f"""
        select anonymous_id, user_id
        from (
            select anonymous_id, user_id, row_number() over (partition by anonymous_id order by {order}) as place
            from sightings
            where anonymous_id not in (
                select alias from seen where is_user
                union all select one from calls
            )
        ) as placed
        where place = 1"""


#: Every larger neighbour of an id is linked to the smallest of the id and its neighbours.
_LARGE_STAR = """
    with neighbours as (
        select child as id, parent as neighbour from links
        union all select parent, child from links
    ),
    smallest as (
        select id, least(id, min(neighbour)) as root from neighbours group by id
    )
    select distinct neighbours.neighbour as child, smallest.root as parent
    from neighbours
    inner join smallest on neighbours.id = smallest.id
    where neighbours.neighbour > neighbours.id"""

#: An id and its smaller neighbours are linked to the smallest of these.
_SMALL_STAR = """
    with smallest as (
        select child, min(parent) as root from links group by child
    )
    select child, root as parent from smallest
    union
    select links.parent, smallest.root
    from links
    inner join smallest on links.child = smallest.child
    where links.parent <> smallest.root"""

#: Links whose child has a second parent, or whose parent is a child. There are none once every component is a star.
_UNFINISHED = """
    select count(*) as links
    from links
    where parent in (select child from links)
        or child in (select child from links group by child having count(*) > 1)"""


def shrink_to_stars(connection: Connection) -> int:
    """Turn links into (id, smallest id of its component); return the number of rounds."""
    rounds = 0
    while number(connection, _UNFINISHED):
        connection.create_temp("links", _LARGE_STAR)
        connection.create_temp("links", _SMALL_STAR)
        rounds += 1
    return rounds
