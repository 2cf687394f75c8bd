"""The contract for RudderStack input as one function from raw rows to tables. All at once, no state, no SQL."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import date, datetime, timedelta

from . import sessions as s
from .identity import identity_graph, visitors
from .inputs import Event, RawRow, Settings
from .intake import take_in

__all__ = ["KEYS", "RawRow", "Settings", "columns", "tables"]

# What identifies a row of each table, for readable comparisons.
KEYS: dict[str, tuple[str, ...]] = {
    "core.events": ("event_date", "event_id"),
    "core.rejected_events": ("event_date", "event_id", "reason"),
    "core.identity_graph": ("alias",),
    "rudderstack.dbt_aliases_mapping": ("alias",),
    "rudderstack.dbt_mapped_tracks": ("event_date", "event_id"),
    "rudderstack.dbt_session_tracks": ("session_id",),
    "rudderstack.dbt_track_facts": ("event_date", "event_id"),
    "rudderstack.dbt_session_track_facts": ("session_id",),
    "rudderstack.dbt_user_session_facts": ("dbt_visitor_id",),
    "rudderstack.dbt_session_duration": ("session_id",),
    "rudderstack.dbt_tracks_flow": ("event_date", "event_id"),
}


def as_row(event: Event) -> dict:
    """An event as a row of core.events."""
    return {field.name: getattr(event, field.name) for field in fields(Event)}


def tables(raw: Sequence[RawRow], settings: Settings, first_date: date, last_date: date) -> dict[str, list[dict]]:
    """Every modelled table, from the raw rows of the days first_date to last_date, both included."""
    events, rejected = take_in(raw, settings, first_date, last_date)
    visitor_of = visitors(events, settings)
    graph = identity_graph(events, visitor_of)

    events_of = s.by_visitor(events, visitor_of, settings.session_event_types)
    timeout = timedelta(seconds=settings.session_timeout_seconds)
    sessions_by_visitor = {visitor: s.sessions_of(visitor, its, timeout) for visitor, its in events_of.items()}
    sessions = [session for its in sessions_by_visitor.values() for session in its]
    return {
        "core.events": [as_row(event) for event in events],
        "core.rejected_events": rejected,
        "core.identity_graph": graph,
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
    }


def columns(settings: Settings) -> dict[str, tuple[str, ...]]:
    """The modelled columns of each table: what to select from a warehouse, even where a table is empty."""
    day = date(2000, 1, 1)
    at = datetime(2000, 1, 1, 12)
    accepted = RawRow("tracks", "e", anonymous_id="a", timestamp=at)
    broken = RawRow("tracks", None, timestamp=at)
    typed = Settings(flow_length=settings.flow_length, counted_events=settings.counted_events)
    return {name: tuple(rows[0]) for name, rows in tables([accepted, broken], typed, day, day).items()}
