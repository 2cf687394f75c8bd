"""The contract as one function from raw rows to tables. All at once, no state, no SQL."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import date, datetime, timedelta
from typing import Any

from . import mixpanel
from . import sessions as s
from .analytics import ANALYTICS_KEYS, analytics_tables
from .compare import difference
from .funnel import funnel_daily, funnel_stages
from .identity import identity_graph, visitors
from .inputs import EVENT_TYPES, Event, RawRow, Settings
from .intake import take_in
from .measure_js import measure_js_tables
from .seeds import Seeds
from .segment import segment_sessions, segment_users

__all__ = ["KEYS", "RawRow", "Settings", "columns", "tables"]

# What identifies a row of each table, for readable comparisons; also of those that the settings do not ask for.
KEYS: dict[str, tuple[str, ...]] = {
    "core.events": ("event_date", "event_id"),
    "core.rejected_events": ("event_date", "event_id", "reason"),
    "core.identity_graph": ("alias",),
    "core.session_events": ("event_date", "event_id"),
    "core.sessions": ("session_key",),
    "core.funnel_stages": ("dbt_visitor_id", "entry_number", "stage_number"),
    "core.funnel_daily": ("date", "stage_number"),
    "rudderstack.dbt_aliases_mapping": ("alias",),
    "rudderstack.dbt_mapped_tracks": ("event_date", "event_id"),
    "rudderstack.dbt_session_tracks": ("session_id",),
    "rudderstack.dbt_track_facts": ("event_date", "event_id"),
    "rudderstack.dbt_session_track_facts": ("session_id",),
    "rudderstack.dbt_user_session_facts": ("dbt_visitor_id",),
    "rudderstack.dbt_session_duration": ("session_id",),
    "rudderstack.dbt_tracks_flow": ("event_date", "event_id"),
    "mixpanel.dim__sessions": ("user_id", "session_id"),
    "mixpanel.fact__users_journey": ("date", "event_id"),
    "segment.segment_sessions": ("session_id",),
    "segment.segment_users": ("user_id",),
    "measure_js.event_blocks": ("hour_block",),
    "measure_js.events_sessionated": ("event_date", "event_id"),
    "measure_js.user_map": ("client_id", "user_id"),
    "measure_js.users": ("client_id", "user_id"),
    "measure_js.sessions": ("session_id",),
    "measure_js.clients": ("client_id",),
    "measure_js.daily_performance": ("date",),
    **ANALYTICS_KEYS,
}
EVENT_COLUMNS = tuple(field.name for field in fields(Event) if field.name != "properties")


def as_row(event: Event) -> dict[str, Any]:
    """An event as a row of core.events."""
    return {name: getattr(event, name) for name in EVENT_COLUMNS}


def tables(
    raw: Sequence[RawRow], settings: Settings, first_date: date, last_date: date
) -> dict[str, list[dict[str, Any]]]:
    """Every modelled table, from the raw rows of the days first_date to last_date, both included."""
    events, rejected = take_in(raw, settings, first_date, last_date)
    visitor_of = visitors(events, settings)
    graph = identity_graph(events, visitor_of)

    def owner(event: Event) -> str:
        identifier = event.anonymous_id if event.user_id is None else event.user_id
        assert identifier is not None
        return visitor_of[identifier]

    events_of = s.by_owner(events, owner, settings.session_event_types)
    timeout = timedelta(seconds=settings.session_timeout_seconds)
    sessions_by_visitor = {visitor: s.sessions_of(visitor, its, timeout) for visitor, its in events_of.items()}
    sessions = [session for its in sessions_by_visitor.values() for session in its]
    day_sessions = mixpanel.day_sessions(events_of, timeout)
    stages = funnel_stages(events_of, settings.funnel)
    return {
        "core.events": [as_row(event) for event in events],
        "core.rejected_events": rejected,
        "core.identity_graph": graph,
        "core.session_events": s.session_events(sessions, day_sessions, settings.flow_length),
        "core.sessions": s.core_sessions(sessions, settings),
        "core.funnel_stages": stages,
        "core.funnel_daily": funnel_daily(stages, settings.funnel),
        "rudderstack.dbt_aliases_mapping": [
            {"alias": row["alias"], "dbt_visitor_id": row["dbt_visitor_id"]} for row in graph
        ],
        "rudderstack.dbt_mapped_tracks": s.mapped_tracks(events_of),
        "rudderstack.dbt_session_tracks": s.session_tracks(sessions, settings.timezone),
        "rudderstack.dbt_track_facts": s.track_facts(sessions),
        "rudderstack.dbt_session_track_facts": s.session_track_facts(sessions, settings),
        "rudderstack.dbt_user_session_facts": s.user_session_facts(sessions_by_visitor),
        "rudderstack.dbt_session_duration": s.session_duration(sessions, settings.timezone),
        "rudderstack.dbt_tracks_flow": s.tracks_flow(sessions, settings.flow_length),
        "mixpanel.dim__sessions": mixpanel.dim_sessions(day_sessions),
        "mixpanel.fact__users_journey": mixpanel.users_journey(day_sessions),
        "segment.segment_sessions": segment_sessions(sessions, settings),
        "segment.segment_users": segment_users(s.by_owner(events, owner, EVENT_TYPES), settings.segment_user_traits),
        **measure_js_tables(events, settings),
        **(analytics_tables(events, sessions_by_visitor, settings) if settings.analytics else {}),
    }


def columns(settings: Settings) -> dict[str, tuple[str, ...]]:
    """The modelled columns of each table: what to select from a warehouse, even where a table is empty."""
    day = date(2000, 1, 1)
    at = datetime(2000, 1, 1, 12)
    typed = Settings(
        flow_length=settings.flow_length,
        counted_events=settings.counted_events,
        segment_user_traits=settings.segment_user_traits,
        segment_page_fields=settings.segment_page_fields,
        segment_track_fields=settings.segment_track_fields,
        analytics=settings.analytics,
    )
    event = typed.funnel[0][2]
    typed = replace(typed, seeds=Seeds(conversions=(("any", event, ""),)))
    probe = [
        RawRow("tracks", "e1", anonymous_id="a", timestamp=at, event=event, user_agent="any"),
        RawRow("tracks", "e2", anonymous_id="b", user_id="u", timestamp=at),
        RawRow("tracks", None, timestamp=at),
    ]
    return {name: tuple(rows[0]) for name, rows in tables(probe, typed, day, day).items()}


def differences(
    raw: Sequence[RawRow],
    settings: Settings,
    first_date: date,
    last_date: date,
    is_made: Callable[[str], bool],
    read: Callable[[dict[str, tuple[str, ...]]], Mapping[str, Sequence[Mapping[str, Any]]]],
) -> list[str]:
    """What differs in the tables that are made; one readable text per table. read gets table -> columns and returns table -> rows."""
    expected = {name: rows for name, rows in tables(raw, settings, first_date, last_date).items() if is_made(name)}
    assert expected
    names = columns(settings)
    actual = read({table: names[table] for table in expected})
    found = {table: difference(rows, actual[table], KEYS[table], names[table]) for table, rows in expected.items()}
    return [f"{table}: {text}" for table, text in found.items() if text]
