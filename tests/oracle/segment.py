"""The segment tables: sessions with all their records, and users with their traits."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from .inputs import Event, Settings
from .sessions import MICROSECOND, Session

COLUMNS = tuple(field.name for field in fields(Event) if field.name != "properties")


def value(event: Event, name: str) -> Any:
    """A field of an event: a column of core.events, the name of a page or screen, or else a property."""
    if name == "name" and event.event_type in ("page", "screen"):
        return event.event
    return getattr(event, name) if name in COLUMNS else dict(event.properties).get(name)


def page_values(word: str, page: Event | None, names: Sequence[str]) -> dict[str, Any]:
    """The fields of a session's first or last page event."""
    return {f"{word}_{name}": None if page is None else value(page, name) for name in names}


def record(event: Event, settings: Settings) -> dict[str, Any]:
    """One event, under the heading of its type."""
    found: dict[str, Any] = {"timestamp": event.timestamp, "track": None, "page": None, "screen": None}
    if event.event_type == "track":
        asked = {name: value(event, name) for name in settings.segment_track_fields}
        found["track"] = {"event_id": event.event_id, "event": event.event, **asked}
    elif event.event_type in ("page", "screen"):
        asked = {name: value(event, name) for name in settings.segment_page_fields}
        found[event.event_type] = {"event_id": event.event_id, "name": event.event, **asked}
    return found


def segment_sessions(sessions: Sequence[Session], settings: Settings) -> list[dict[str, Any]]:
    """One row per session."""
    rows = []
    for session in sessions:
        types = [event.event_type for event in session.events]
        pages: list[Event | None] = [event for event in session.events if event.event_type == "page"] or [None]
        rows.append(
            {
                "session_id": session.id,
                "session_index": session.number,
                "user_id": session.visitor,
                "session_start_timestamp": session.start,
                "session_end_timestamp": session.end,
                "stats": {
                    "total_tracks": types.count("track"),
                    "total_pages": types.count("page"),
                    "total_screens": types.count("screen"),
                    "duration_millis": session.duration // MICROSECOND // 1000,
                },
                "first_page_values": page_values("first", pages[0], settings.segment_page_fields),
                "last_page_values": page_values("last", pages[-1], settings.segment_page_fields),
                "records": [record(event, settings) for event in session.events],
            }
        )
    return rows


def is_value(trait: object) -> bool:
    """Whether a trait says something: a null word, or a blank text, does not."""
    return trait is not None and str(trait).strip().lower() not in ("", "null", "\\n", "none", "nat")


def segment_users(events_of: Mapping[str, Sequence[Event]], traits: Sequence[str]) -> list[dict[str, Any]]:
    """One row per visitor of any event, with the newest value of each trait."""
    rows = []
    for visitor, events in events_of.items():
        identifies = [event for event in events if event.event_type == "identify"]
        known = {name: text for event in identifies for name, text in event.properties if is_value(text)}
        rows.append(
            {
                "user_id": visitor,
                "first_seen_at": (identifies or events)[0].timestamp,
                **{trait: known.get(trait) for trait in traits},
            }
        )
    return rows
