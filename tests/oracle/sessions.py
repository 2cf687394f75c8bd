"""From events and their visitors to the session tables. Knows the gap rule, nothing of how visitors are found."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, TypeVar

from .inputs import Event, Settings
from .intake import local_date

T = TypeVar("T")

MICROSECOND = timedelta(microseconds=1)
MICROSECONDS_PER_MINUTE = 6e7


@dataclass(frozen=True)
class Session:
    """One session: its events in order, and where the next one of its visitor (or client) starts."""

    visitor: str
    number: int
    events: tuple[Event, ...]
    next_start: datetime | None

    @property
    def id(self) -> str:
        """The session_id of all tables."""
        return f"{self.number} - {self.visitor}"

    @property
    def key(self) -> str:
        """The session_key: md5 of the first event's id and date."""
        first = self.events[0]
        return hashlib.md5(f"{first.event_id}-{first.event_date}".encode(), usedforsecurity=False).hexdigest()

    @property
    def split_cause(self) -> str:
        """What started it."""
        return "first" if self.number == 1 else "timeout"

    @property
    def start(self) -> datetime:
        """The first event's time."""
        return self.events[0].timestamp

    @property
    def end(self) -> datetime:
        """The last event's time."""
        return self.events[-1].timestamp

    @property
    def duration(self) -> timedelta:
        """From the first event to the last."""
        return self.end - self.start


def minutes(duration: timedelta) -> float:
    """A duration in minutes, by one division of whole microseconds."""
    return (duration // MICROSECOND) / MICROSECONDS_PER_MINUTE


def seconds(duration: timedelta) -> float:
    """A duration in seconds, by one division of whole microseconds."""
    return (duration // MICROSECOND) / 1e6


def with_previous(items: Sequence[T]) -> Iterator[tuple[T | None, T]]:
    """Each item behind the one before it."""
    return zip([None, *items], items, strict=False)


def by_owner(
    events: Sequence[Event], owner: Callable[[Event], str], event_types: Collection[str]
) -> dict[str, list[Event]]:
    """Each owner's events of the types asked for, in order."""
    found: dict[str, list[Event]] = defaultdict(list)
    for event in sorted(events, key=lambda event: event.order):
        if event.event_type in event_types:
            found[owner(event)].append(event)
    return found


def split(events: Sequence[Event], timeout: timedelta) -> list[tuple[Event, ...]]:
    """Cut one visitor's ordered events wherever the gap is strictly more than the timeout."""
    starts = [0] + [n for n in range(1, len(events)) if events[n].timestamp - events[n - 1].timestamp > timeout]
    return [tuple(events[start:stop]) for start, stop in pairwise([*starts, len(events)])]


def sessions_of(visitor: str, events: Sequence[Event], timeout: timedelta) -> list[Session]:
    """One visitor's sessions."""
    parts = split(events, timeout)
    next_starts = [part[0].timestamp for part in parts[1:]] + [None]
    return [
        Session(visitor, number, part, next_start)
        for number, (part, next_start) in enumerate(zip(parts, next_starts, strict=True), start=1)
    ]


def mapped_tracks(events_of: dict[str, list[Event]]) -> list[dict[str, Any]]:
    """One row per event of a session type."""
    return [
        {
            "event_id": event.event_id,
            "anonymous_id": event.anonymous_id,
            "dbt_visitor_id": visitor,
            "timestamp": event.timestamp,
            "event": event.event,
            "idle_time_minutes": None if before is None else minutes(event.timestamp - before.timestamp),
            "event_date": event.event_date,
        }
        for visitor, events in events_of.items()
        for before, event in with_previous(events)
    ]


def following(session: Session, place: int, flow_length: int) -> dict[str, str | None]:
    """event_2 to event_<flow_length> of the event at a place, from 1, in the session."""
    names = [event.event for event in session.events] + [None] * flow_length
    return {f"event_{n}": names[place + n - 2] for n in range(2, flow_length + 1)}


def counted(session: Session, settings: Settings) -> dict[str, int]:
    """A session's column for each of counted_events."""
    return {
        column: sum(event.event == value for event in session.events)
        for column, value in settings.counted_events.items()
    }


def session_events(
    sessions: Sequence[Session], day_sessions: Sequence[tuple[str, int, list[Event]]], flow_length: int
) -> list[dict[str, Any]]:
    """One row per event: its session, its place there and in the session that midnight ends too, and the events that follow."""
    of_day = {
        event.event_id + str(event.event_date): {"day_session_number": number, "day_track_number": place}
        for _, number, events in day_sessions
        for place, event in enumerate(events, start=1)
    }
    rows = []
    for session in sessions:
        for place, event in enumerate(session.events, start=1):
            rows.append(
                {
                    "event_id": event.event_id,
                    "source": event.source,
                    "event_type": event.event_type,
                    "event": event.event,
                    "anonymous_id": event.anonymous_id,
                    "user_id": event.user_id,
                    "dbt_visitor_id": session.visitor,
                    "session_key": session.key,
                    "session_sequence_number": session.number,
                    "track_sequence_number": place,
                    **of_day[event.event_id + str(event.event_date)],
                    "split_cause": session.split_cause if place == 1 else None,
                    **following(session, place, flow_length),
                    "country": event.country,
                    "device": event.device,
                    "os": event.os,
                    "event_sequence": event.event_sequence,
                    "timestamp": event.timestamp,
                    "session_start_at": session.start,
                    "event_date": event.event_date,
                }
            )
    return rows


def core_sessions(sessions: Sequence[Session], settings: Settings) -> list[dict[str, Any]]:
    """One row per session."""
    return [
        {
            "session_key": session.key,
            "dbt_visitor_id": session.visitor,
            "session_sequence_number": session.number,
            "split_cause": session.split_cause,
            "event_count": len(session.events),
            **counted(session, settings),
            "session_start_at": session.start,
            "session_end_at": session.end,
            "next_session_start_at": session.next_start,
            "session_start_date": local_date(session.start, settings.timezone),
        }
        for session in sessions
    ]


def session_tracks(sessions: Sequence[Session], timezone: str) -> list[dict[str, Any]]:
    """One row per session."""
    return [
        {
            "session_id": session.id,
            "session_key": session.key,
            "dbt_visitor_id": session.visitor,
            "session_start_at": session.start,
            "session_sequence_number": session.number,
            "next_session_start_at": session.next_start,
            "split_cause": session.split_cause,
            "session_start_date": local_date(session.start, timezone),
        }
        for session in sessions
    ]


def track_facts(sessions: Sequence[Session]) -> list[dict[str, Any]]:
    """One row per event, with its place in its session."""
    return [
        {
            "anonymous_id": event.anonymous_id,
            "timestamp": event.timestamp,
            "event_id": event.event_id,
            "event": event.event,
            "session_id": session.id,
            "session_key": session.key,
            "dbt_visitor_id": session.visitor,
            "track_sequence_number": place,
            "event_date": event.event_date,
        }
        for session in sessions
        for place, event in enumerate(session.events, start=1)
    ]


def session_track_facts(sessions: Sequence[Session], settings: Settings) -> list[dict[str, Any]]:
    """One row per session, with its counts."""
    return [
        {
            "session_id": session.id,
            "ended_at": session.end,
            "num_pvs": len(session.events),
            **counted(session, settings),
            "session_start_date": local_date(session.start, settings.timezone),
        }
        for session in sessions
    ]


def user_session_facts(sessions_by_visitor: dict[str, list[Session]]) -> list[dict[str, Any]]:
    """One row per visitor."""
    return [
        {
            "dbt_visitor_id": visitor,
            "first_date": sessions[0].start,
            "last_date": sessions[-1].start,
            "number_of_sessions": len(sessions),
        }
        for visitor, sessions in sessions_by_visitor.items()
    ]


def session_duration(sessions: Sequence[Session], timezone: str) -> list[dict[str, Any]]:
    """One row per session, with its length."""
    return [
        {
            "dbt_visitor_id": session.visitor,
            "session_id": session.id,
            "session_duration": minutes(session.duration),
            "session_start_date": local_date(session.start, timezone),
        }
        for session in sessions
    ]


def tracks_flow(sessions: Sequence[Session], flow_length: int) -> list[dict[str, Any]]:
    """One row per event, with the names of the events that follow it in its session."""
    rows = []
    for session in sessions:
        for place, event in enumerate(session.events, start=1):
            rows.append(
                {
                    "event_id": event.event_id,
                    "session_id": session.id,
                    "track_sequence_number": place,
                    "event": event.event,
                    "dbt_visitor_id": session.visitor,
                    "timestamp": event.timestamp,
                    **following(session, place, flow_length),
                    "event_date": event.event_date,
                }
            )
    return rows
