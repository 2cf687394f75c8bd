"""The situations that one landing contains, found in its rows and in the model's tables. No edits, no runs."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from .inputs import RawRow, Settings
from .landing import touched_date
from .model import tables

MICRO = timedelta(microseconds=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class State:
    """The landing after a step, and what one run over all days makes of it."""

    rows: list[RawRow]
    settings: Settings
    dates: tuple[date, ...]

    @cached_property
    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """The model's tables."""
        return tables(self.rows, self.settings, self.dates[0], self.dates[-1])

    @property
    def events(self) -> list[dict[str, Any]]:
        """The accepted events."""
        return self.tables["core.events"]

    @cached_property
    def visitor_of(self) -> dict[str, str]:
        """The visitor of every id."""
        return {row["alias"]: row["dbt_visitor_id"] for row in self.tables["core.identity_graph"]}

    @cached_property
    def session_of(self) -> dict[tuple[Any, ...], str]:
        """The session of every event of a session type."""
        facts = self.tables["rudderstack.dbt_track_facts"]
        return {(row["event_date"], row["event_id"]): row["session_id"] for row in facts}

    @cached_property
    def users_of(self) -> dict[str, set[str]]:
        """The users that each anonymous_id was seen with."""
        users: dict[str, set[str]] = defaultdict(set)
        for event in self.events:
            if event["anonymous_id"] and event["user_id"]:
                users[event["anonymous_id"]].add(event["user_id"])
        return users

    @property
    def crowded(self) -> set[str]:
        """The devices with more users than the guard allows."""
        return {device for device, users in self.users_of.items() if len(users) > self.settings.max_users_per_alias}

    @cached_property
    def alias_calls(self) -> list[dict[str, Any]]:
        """The alias calls of a previous_id and a user_id."""
        return [event for event in self.events if event["previous_id"] and event["user_id"]]

    @cached_property
    def joined_by_calls(self) -> Counter[str]:
        """How many others alias calls join each id with."""
        pairs = set()
        for event in self.events:
            if event["event_type"] == "alias":
                named = [i for i in (event["previous_id"], event["user_id"], event["anonymous_id"]) if i][:2]
                pairs |= {tuple(named), tuple(named[::-1])} if len(set(named)) == 2 else set()
        return Counter(one for one, _ in pairs)

    @property
    def hubs(self) -> set[str]:
        """The ids that alias calls join with more others than the guard allows."""
        return {hub for hub, count in self.joined_by_calls.items() if count > self.settings.max_users_per_alias}


def true_names(found: dict[str, object]) -> set[str]:
    """The names of what was found."""
    return {name for name, value in found.items() if value}


def in_rows(state: State) -> set[str]:
    """Situations of raw rows."""
    window = set(state.dates) | {None}
    rejected = state.tables["core.rejected_events"]
    counts = Counter(state.rows)
    texts = {text for row in state.rows for text in (row.anonymous_id, row.user_id) if text is not None}
    mixpanel = [row for row in state.rows if row.source == "mixpanel"]
    blocked = set(state.settings.blocked_ids)
    tables_of: dict[tuple[Any, ...], set[str]] = defaultdict(set)
    for row in state.rows:
        if row.id and row.timestamp:
            tables_of[row.source, row.id, touched_date(row, state.settings)].add(row.table)
    ahead = [row.timestamp - row.received_at for row in state.rows if row.timestamp and row.received_at]
    return {f"rejected {row['reason']}" for row in rejected} | true_names(
        {
            "rejected without a day": any(row["event_date"] is None for row in rejected),
            "received on a day that is none": any(row["event_date"] is None and row["received_at"] for row in rejected),
            "the same row twice": any(count > 1 for row, count in counts.items() if row.id),
            "one id in two tables on one day": any(len(found) > 1 for found in tables_of.values()),
            "row outside the days": any(touched_date(row, state.settings) not in window for row in state.rows),
            "a day ahead exactly": DAY in ahead,
            "a day and a microsecond ahead": DAY + MICRO in ahead,
            "empty id": "" in texts,
            "blocked id": texts & blocked,
            "blocked id in another case": {
                t for t in texts if t.strip().lower() in blocked and t.strip() not in blocked
            },
            "blank beside an id": any(text != text.strip() and text.strip() in texts for text in texts),
            "device_id beside a user_id": any(row.device_id and row.user_id for row in mixpanel),
            "user in distinct_id alone": any(
                row.device_id and not row.user_id and not (row.anonymous_id or "$").startswith("$") for row in mixpanel
            ),
            "several events of one insert_id": any(
                event["source"] == "mixpanel" and len(event["event_id"]) > 32 for event in state.events
            ),
            "several faults": any(
                not row.id and (not row.timestamp or not (row.anonymous_id or row.user_id)) for row in state.rows
            ),
        }
    )


def in_events(state: State) -> set[str]:
    """Situations of single accepted events and their ids."""
    days_of: dict[str, set[date]] = defaultdict(set)
    for event in state.events:
        days_of[event["event_id"]].add(event["event_date"])
    local = [
        event["timestamp"].replace(tzinfo=UTC).astimezone(ZoneInfo(state.settings.timezone)) for event in state.events
    ]
    ids = set(state.visitor_of)
    return true_names(
        {
            "one id on two days": any(len(days) > 1 for days in days_of.values()),
            "event at midnight": any(not (t.hour or t.minute or t.second or t.microsecond) for t in local),
            "event a microsecond before midnight": any((t + MICRO).date() > t.date() for t in local),
            "clock change within the days": len({t.utcoffset() for t in local}) > 1,
            "local day differs from UTC day": any(e["timestamp"].date() != e["event_date"] for e in state.events),
            "ids that differ in case only": len({i.lower() for i in ids}) < len(ids),
            "ids in UTF-16 order differ": sorted(ids) != sorted(ids, key=lambda i: i.encode("utf-16-be")),
            "event without a name": any(e["event"] is None and e["event_type"] == "track" for e in state.events),
        }
    )


def in_identity(state: State) -> set[str]:
    """Situations of persons."""
    users = {event["user_id"] for event in state.events} - {None}
    devices = {event["anonymous_id"] for event in state.events} - {None}
    pairs = {(call["previous_id"], call["user_id"]) for call in state.alias_calls}
    previous = {pair[0] for pair in pairs}
    logged_in_by = defaultdict(set)
    for event in state.events:
        if event["anonymous_id"] and event["user_id"]:
            logged_in_by[event["anonymous_id"], event["user_id"]].add(event["event_type"])
    merge = state.settings.identity_policy == "merge"
    return true_names(
        {
            "anonymous_id is a user": users & devices,
            "anonymous_id is a user and logs in as another": any(
                device in users and its - {device} for device, its in state.users_of.items()
            ),
            "device of several users": any(len(its) > 1 for its in state.users_of.values()),
            "device over the guard": merge and state.crowded,
            "device at the guard": merge
            and any(len(its) == state.settings.max_users_per_alias for its in state.users_of.values()),
            "alias call": pairs,
            "alias of user to user": any(a in users and a != b for a, b in pairs),
            "alias chain": any(a != b and b in previous for a, b in pairs),
            "alias of a device with logins": any(a not in users and state.users_of.get(a, {b}) - {b} for a, b in pairs),
            "alias of a device over the guard": merge and state.crowded & previous,
            "alias of two devices": any(
                e["event_type"] == "alias" and e["anonymous_id"] and not e["user_id"] for e in state.events
            ),
            "alias of user and device": any(
                e["event_type"] == "alias" and e["anonymous_id"] and e["user_id"] for e in state.events
            ),
            "alias of three ids": any(call["anonymous_id"] for call in state.alias_calls),
            "alias calls over the guard": state.hubs,
            "alias calls at the guard": state.settings.max_users_per_alias in state.joined_by_calls.values(),
            "alias without previous_id": any(e["event_type"] == "alias" and not e["previous_id"] for e in state.events),
            "login by identify only": any(types == {"identify"} for types in logged_in_by.values()),
            "person with several users": any(
                count > 1 for count in Counter(state.visitor_of[user] for user in users).values()
            ),
        }
        | naming_ties(state, users)
    )


def naming_ties(state: State, users: set[str]) -> dict[str, object]:
    """Ties in what names a person or decides its device's user."""
    first_seen = {row["alias"]: row["first_seen_at"] for row in state.tables["core.identity_graph"]}
    earliest: dict[str, list[datetime]] = defaultdict(list)
    for user in users:
        earliest[state.visitor_of[user]].append(first_seen[user])
    carriers: dict[tuple[Any, ...], set[str]] = defaultdict(set)
    for event in state.events:
        if event["anonymous_id"] and event["user_id"]:
            carriers[event["anonymous_id"], event["timestamp"]].add(event["user_id"])
    latest = {device: at for device, at in sorted(carriers)}
    oldest = {device: at for device, at in sorted(carriers, reverse=True)}
    decisive = {"latest_user": latest, "first_user": oldest}.get(state.settings.identity_policy, {})
    return {
        "users first seen at one instant": any(sorted(times)[:2] == [min(times)] * 2 for times in earliest.values()),
        "login decided by event_id": any(len(carriers[found]) > 1 for found in decisive.items()),
    }


def in_sessions(state: State) -> set[str]:
    """Situations of gaps and sessions."""
    timeout = timedelta(seconds=state.settings.session_timeout_seconds)
    by_visitor: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for row in state.tables["rudderstack.dbt_mapped_tracks"]:
        by_visitor[row["dbt_visitor_id"]].append((row["timestamp"], row["event_id"], row["anonymous_id"]))
    steps = [step for its in by_visitor.values() for step in pairwise(sorted(its, key=lambda e: e[:2]))]
    gaps = {after[0] - before[0] for before, after in steps}
    ties = [(before[1], after[1]) for before, after in steps if before[0] == after[0]]
    sequence_of = {(e["timestamp"], e["event_id"]): e["event_sequence"] for e in state.events}
    days: dict[str, set[date]] = defaultdict(set)
    for row in state.tables["rudderstack.dbt_track_facts"]:
        days[row["session_id"]].add(row["event_date"])
    others = [
        (state.visitor_of[e["user_id"] or e["anonymous_id"]], e["timestamp"])
        for e in state.events
        if e["event_type"] not in state.settings.session_event_types
    ]
    wide = [(v, a[0], b[0]) for v, its in by_visitor.items() for a, b in pairwise(sorted(its, key=lambda e: e[:2]))]
    return true_names(
        {
            "gap of the timeout": timeout in gaps,
            "gap a microsecond over": timeout + MICRO in gaps,
            "gap a microsecond under": timeout - MICRO in gaps,
            "tie in time": ties,
            "tie decided by the vendor": any(
                sequence_of[before[:2]] > sequence_of[after[:2]] for before, after in steps if before[0] == after[0]
            ),
            "tie where text order is not number order": any(len(a) > len(b) for a, b in ties),
            "tie where text order is not UTF-16 order": any(
                a.encode("utf-16-be") > b.encode("utf-16-be") for a, b in ties
            ),
            "session over midnight": any(len(its) > 1 for its in days.values()),
            "session over three days": any(len(its) > 2 for its in days.values()),
            "session over two devices": any(
                a[2] != b[2] and a[2] and b[2] and b[0] - a[0] <= timeout for a, b in steps
            ),
            "other event within a session gap": any(
                v == w and a < t < b and b - a > timeout >= max(t - a, b - t) for w, t in others for v, a, b in wide
            ),
        }
    )
