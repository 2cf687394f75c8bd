"""From accepted events to the visitor of every id. Knows the three policies, nothing of sessions."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from .inputs import Event, Settings

Pair = tuple[str, str]


def sightings(events: Sequence[Event]) -> dict[str, tuple[datetime, datetime]]:
    """First and last time each id is mentioned, whatever the column or the event type."""
    seen: dict[str, tuple[datetime, datetime]] = {}
    for event in events:
        for identifier in filter(None, (event.anonymous_id, event.user_id, event.previous_id)):
            first, last = seen.get(identifier, (event.timestamp, event.timestamp))
            seen[identifier] = min(first, event.timestamp), max(last, event.timestamp)
    return seen


def alias_pairs(events: Sequence[Event], max_users_per_alias: int) -> set[Pair]:
    """What alias calls join: the first two ids that each has, but nothing of an id that they join with too many others."""
    pairs: set[Pair] = set()
    for event in events:
        if event.event_type == "alias":
            named = [i for i in (event.previous_id, event.user_id, event.anonymous_id) if i is not None][:2]
            if len(set(named)) == 2:
                pairs.add((named[0], named[1]))
    others: dict[str, set[str]] = defaultdict(set)
    for left, right in pairs:
        others[left].add(right)
        others[right].add(left)
    shared = {identifier for identifier, joined in others.items() if len(joined) > max_users_per_alias}
    return {pair for pair in pairs if not shared & set(pair)}


def logins(events: Sequence[Event]) -> dict[str, list[Event]]:
    """For each anonymous_id the events, of any type, that also carry a user_id."""
    found: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event.anonymous_id is not None and event.user_id is not None:
            found[event.anonymous_id].append(event)
    return found


def linking_pairs(events: Sequence[Event], max_users_per_alias: int) -> set[Pair]:
    """The (anonymous_id, user_id) pairs that `merge` believes: not those of a device shared by too many."""
    pairs: set[Pair] = set()
    for anonymous_id, carriers in logins(events).items():
        users = {event.user_id for event in carriers if event.user_id is not None}
        if len(users) <= max_users_per_alias:
            pairs |= {(anonymous_id, user_id) for user_id in users}
    return pairs


def persons(identifiers: Iterable[str], pairs: Iterable[Pair]) -> list[set[str]]:
    """The connected components of all ids over the pairs."""
    neighbours: dict[str, set[str]] = {identifier: set() for identifier in identifiers}
    for left, right in pairs:
        neighbours[left].add(right)
        neighbours[right].add(left)
    components, placed = [], set()
    for start in neighbours:
        if start in placed:
            continue
        component, waiting = {start}, [start]
        while waiting:
            found = neighbours[waiting.pop()] - component
            component |= found
            waiting.extend(found)
        placed |= component
        components.append(component)
    return components


def named(person: set[str], users: set[str], first_seen: Callable[[str], datetime]) -> str:
    """The name of a person: its earliest-seen user_id; of devices alone, which an alias call may join, the earliest-seen one."""
    return min(person & users or person, key=lambda identifier: (first_seen(identifier), identifier))


def follow_logins(
    visitor_of: dict[str, str], events: Sequence[Event], users: set[str], joined: set[Pair], newest: bool
) -> dict[str, str]:
    """Move each plain anonymous_id that no alias call joins to the user of its newest (or oldest) login."""
    named_in_alias = {identifier for pair in joined for identifier in pair}
    moved = dict(visitor_of)
    for anonymous_id, carriers in logins(events).items():
        if anonymous_id in users or anonymous_id in named_in_alias:
            continue
        decisive = (max if newest else min)(carriers, key=lambda event: event.login_order)
        assert decisive.user_id is not None
        moved[anonymous_id] = visitor_of[decisive.user_id]
    return moved


def visitors(events: Sequence[Event], settings: Settings) -> dict[str, str]:
    """The dbt_visitor_id of every id."""
    seen = sightings(events)
    users = {event.user_id for event in events if event.user_id is not None}
    joined = alias_pairs(events, settings.max_users_per_alias)
    pairs = set(joined)
    if settings.identity_policy == "merge":
        pairs |= linking_pairs(events, settings.max_users_per_alias)
    visitor_of = {}
    for person in persons(seen, pairs):
        name = named(person, users, lambda identifier: seen[identifier][0])
        visitor_of.update(dict.fromkeys(person, name))
    if settings.identity_policy == "merge":
        return visitor_of
    return follow_logins(visitor_of, events, users, joined, newest=settings.identity_policy == "latest_user")


def identity_graph(events: Sequence[Event], visitor_of: dict[str, str]) -> list[dict[str, Any]]:
    """The modelled columns of core.identity_graph."""
    users = {event.user_id for event in events}
    return [
        {
            "alias": identifier,
            "alias_type": "user_id" if identifier in users else "anonymous_id",
            "dbt_visitor_id": visitor_of[identifier],
            "first_seen_at": first,
            "last_seen_at": last,
        }
        for identifier, (first, last) in sightings(events).items()
    ]
