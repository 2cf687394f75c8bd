"""The situations of one landing that the mixpanel, segment, measure_js and funnel tables turn on, found in the tables."""

from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

from .inputs import Settings
from .situations import State, true_names


def in_sources(state: State) -> set[str]:
    """Situations of rows of several sources."""
    sources = state.settings.sources
    sources_of: dict[tuple[Any, ...], set[str]] = defaultdict(set)
    for event in state.events:
        raw_id = event["event_id"].removeprefix(f"{event['source']}:")
        sources_of[raw_id, event["event_date"]].add(event["source"])
    of_device: dict[str, set[str]] = defaultdict(set)
    of_session: dict[str, set[str]] = defaultdict(set)
    for event in state.events:
        of_device[event["anonymous_id"] or ""].add(event["source"])
        session = state.session_of.get((event["event_date"], event["event_id"]), "")
        of_session[session].add(event["source"])
    of_session.pop("", None)
    usual = Settings()
    return {f"events of {source}" for source in {event["source"] for event in state.events}} | true_names(
        {
            "several sources": len(sources) > 1,
            "one source other than rudderstack": len(sources) == 1 and sources != usual.sources,
            "rudderstack not the first of several": "rudderstack" in sources[1:],
            "one id in two sources on one day": any(len(found) > 1 for found in sources_of.values()),
            "device in two sources": any(len(found) > 1 for device, found in of_device.items() if device),
            "session over two sources": any(len(found) > 1 for found in of_session.values()),
            "other traits": state.settings.segment_user_traits != usual.segment_user_traits,
            "other page fields": state.settings.segment_page_fields != usual.segment_page_fields,
            "other track fields": state.settings.segment_track_fields != usual.segment_track_fields,
        }
    )


def in_mixpanel(state: State) -> set[str]:
    """Situations of sessions that midnight splits."""
    timeout = state.settings.session_timeout_seconds
    by_user: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in sorted(state.tables["mixpanel.dim__sessions"], key=lambda row: row["session_id"]):
        by_user[row["user_id"]].append(row)
    steps = [step for its in by_user.values() for step in pairwise(its)]
    near = [(a, b) for a, b in steps if (b["start_time"] - a["end_time"]).total_seconds() <= timeout]
    country_of = {(event["event_date"], event["event_id"]): event["country"] for event in state.events}
    countries: dict[tuple[Any, ...], list[Any]] = defaultdict(list)
    for row in sorted(state.tables["mixpanel.fact__users_journey"], key=lambda row: row["step_number"]):
        countries[row["user_id"], row["session_id"]].append(country_of[row["date"], row["event_id"]])
    return true_names(
        {
            "session split at midnight": near,
            "session split at two midnights": any(a[1] is b[0] for a, b in pairwise(near)),
            "country of a later event": any(its[0] is None and set(its) != {None} for its in countries.values()),
            "two countries in a session": any(len(set(its) - {None}) > 1 for its in countries.values()),
            "session without a country": any(set(its) == {None} for its in countries.values()),
        }
    )


def in_segment(state: State) -> set[str]:
    """Situations of pages in sessions and of traits."""
    sessions = state.tables["segment.segment_sessions"]
    pages = [[record["page"] for record in row["records"]] for row in sessions]
    values = [(row["first_page_values"], row["last_page_values"]) for row in sessions]
    users = state.tables["segment.segment_users"]
    with_sessions = {row["user_id"] for row in sessions}
    first_event_at: dict[str, object] = {}
    for event in state.events:
        first_event_at.setdefault(state.visitor_of[event["user_id"] or event["anonymous_id"]], event["timestamp"])
    return true_names(
        {
            "session without a page": any(not any(its) for its in pages),
            "first page after other events": any(its[0] is None and any(its) for its in pages),
            "last page before other events": any(its[-1] is None and any(its) for its in pages),
            "first and last page differ": any([*a.values()] != [*b.values()] for a, b in values),
            "page values unset": any(None in a.values() and set(a.values()) != {None} for a, _ in values),
            "records of all three types": any(
                all(row["stats"][f"total_{kind}"] for kind in ("tracks", "pages", "screens")) for row in sessions
            ),
            "property in a page's values": any(a.get("first_section") for a, _ in values),
            "visitor without a session": any(row["user_id"] not in with_sessions for row in users),
            "first seen after the first event": any(
                row["first_seen_at"] > first_event_at[row["user_id"]] for row in users
            ),
            "visitor with all traits": any(all(row[t] for t in state.settings.segment_user_traits) for row in users),
            "visitor with some traits": any(
                len({row[t] is None for t in state.settings.segment_user_traits}) == 2 for row in users
            ),
        }
        | traits_of_visitors(state)
    )


def traits_of_visitors(state: State) -> dict[str, object]:
    """Situations of a trait over one visitor's identify events, in raw values."""
    accepted = {
        (event["source"], event["event_id"].removeprefix(f"{event['source']}:"), event["timestamp"]): event
        for event in state.events
        if event["event_type"] == "identify"
    }
    texts: dict[tuple[str, str], list[tuple[Any, ...]]] = defaultdict(list)
    for row in set(state.rows):
        event = accepted.get((row.source, row.id, row.timestamp)) if row.table == "identifies" else None
        if event is None:
            continue
        for name, text in row.traits:
            visitor = state.visitor_of[event["user_id"] or event["anonymous_id"]]
            texts[visitor, name].append((event["timestamp"], event["event_id"], text))
    values = [[text for *_, text in sorted(its)] for (_, name), its in texts.items()]
    return {
        "trait that changes": any(len(set(its) - {""}) > 1 for its in values),
        "trait last set empty": any(its[-1] == "" and set(its) != {""} for its in values),
        "trait only ever empty": any(set(its) == {""} for its in values),
    }


def in_measure_js(state: State) -> set[str]:
    """Situations of clients, their users and hours."""
    tables = state.tables
    visits: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in sorted(tables["measure_js.events_sessionated"], key=lambda row: (row["timestamp"], row["event_id"])):
        visits[row["session_id"]].append(row)
    users_of = Counter(row["client_id"] for row in tables["measure_js.user_map"])
    ordered_users = [[row["user_id"] for row in its] for its in visits.values()]
    hours = Counter((row["date"], row["hour"]) for row in tables["measure_js.event_blocks"])
    pairs = tables["measure_js.users"]
    return true_names(
        {
            "client of several users": any(count > 1 for count in users_of.values()),
            "client without a user": tables["measure_js.clients"],
            "client that is a user": any(row["client_id"] == row["user_id"] for row in pairs),
            "client with and without a user": any(
                row["user_id"] is None and users_of[row["client_id"]] for row in pairs
            ),
            "session of several users": any(len(set(its) - {None}) > 1 for its in ordered_users),
            "session's user before its end": any(its[-1] is None and set(its) != {None} for its in ordered_users),
            "session without event names": any(not row["events"] for row in tables["measure_js.sessions"]),
            "session of a client over midnight": any(
                its[0]["event_date"] != its[-1]["event_date"] for its in visits.values()
            ),
            "page view": any(row["event_name"] == "pageview" for its in visits.values() for row in its),
            "page seen twice in a session": any(
                count > 1 for its in visits.values() for url, count in Counter(row["url"] for row in its).items() if url
            ),
            "client's sessions are not the visitor's": len(visits) != len(tables["rudderstack.dbt_session_tracks"]),
            "average of uneven sessions": any(row["avg_session_duration"] % 1 for row in pairs),
            "repeated local hour": any(count > 1 for count in hours.values()),
            "local hour within a UTC hour": any(row["hour_block"].minute for row in tables["measure_js.event_blocks"]),
        }
    )


def in_funnel(state: State) -> set[str]:
    """Situations of passes through the funnel."""
    stages, daily = state.tables["core.funnel_stages"], state.tables["core.funnel_daily"]
    last = max(number for number, *_ in state.settings.funnel)
    events = {event for _, _, event in state.settings.funnel}
    names = Counter(
        event["event"] for event in state.events if (event["event_date"], event["event_id"]) in state.session_of
    )
    sources = {(event["event_date"], event["event_id"]): event["source"] for event in state.events}
    of_pass: dict[tuple[Any, ...], set[str]] = defaultdict(set)
    for row in stages:
        of_pass[row["dbt_visitor_id"], row["entry_number"]].add(sources[row["reached_date"], row["event_id"]])
    return true_names(
        {
            "funnel completed": any(row["stage_number"] == last for row in stages),
            "funnel entered again": any(row["entry_number"] > 1 for row in stages),
            "funnel completed twice": any(row["stage_number"] == last and row["entry_number"] > 1 for row in stages),
            "funnel event that changes nothing": sum(names[event] for event in events) > len(stages),
            "funnel pass over midnight": any(row["entry_date"] != row["reached_date"] for row in stages),
            "funnel pass over two sources": any(len(found) > 1 for found in of_pass.values()),
            "two events of one stage": len({row["event"] for row in stages if row["stage_number"] == 1}) > 1,
            "two stages at one instant": any(
                row["seconds_since_previous_stage"] == 0 for row in stages if row["stage_number"] > 1
            ),
            "several passes of one day": any(row["entries"] > row["visitors"] for row in daily),
            "stage that nobody reached": any(not row["entries"] for row in daily),
            "conversion that is no round number": any((row["conversion_from_first"] * 4) % 1 for row in daily),
        }
    )


def in_family_change(before: State, after: State) -> set[str]:
    """Situations of what a step's edits change in these tables."""

    def held(state: State, table: str, key: str) -> set[Any]:
        return {row[key] for row in state.tables[table]}

    alone_before, alone_after = (held(state, "measure_js.clients", "client_id") for state in (before, after))
    users_before, users_after = (held(state, "measure_js.users", "client_id") for state in (before, after))
    traits_before, traits_after = (
        {
            row["user_id"]: [row[t] for t in state.settings.segment_user_traits]
            for row in state.tables["segment.segment_users"]
        }
        for state in (before, after)
    )
    passes_before, passes_after = (
        {
            (row["dbt_visitor_id"], row["entry_number"], row["stage_number"]): row
            for row in state.tables["core.funnel_stages"]
        }
        for state in (before, after)
    )
    lasting_passes = passes_before.keys() & passes_after.keys()
    return true_names(
        {
            "client gains its first user": alone_before & (users_after - alone_after),
            "client loses its last user": alone_after & (users_before - alone_before),
            "client vanishes": users_before - users_after,
            "visitor's traits change": any(
                traits_before[user] != traits_after[user] for user in traits_before.keys() & traits_after.keys()
            ),
            "funnel pass begins elsewhere": any(
                passes_before[each]["entry_date"] != passes_after[each]["entry_date"] for each in lasting_passes
            ),
            "funnel stage gained": passes_after.keys() - passes_before.keys(),
            "funnel stage lost": passes_before.keys() - passes_after.keys(),
        }
    )
