"""The mixpanel tables: sessions that midnight splits, and every event's place in them. Knows nothing of how visitors are found."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any

from .inputs import Event
from .sessions import seconds, split, with_previous

# (visitor, number, events)
DaySession = tuple[str, int, list[Event]]


def day_sessions(events_of: Mapping[str, Sequence[Event]], timeout: timedelta) -> list[DaySession]:
    """Every visitor's sessions, cut where the gap is more than the timeout and where the day is another."""
    found = []
    for visitor, events in events_of.items():
        parts = [
            list(part) for its in split(events, timeout) for _, part in groupby(its, key=lambda event: event.event_date)
        ]
        found += [(visitor, number, part) for number, part in enumerate(parts, start=1)]
    return found


def first_known(events: Sequence[Event], column: str) -> str | None:
    """The first value of a column that is not null."""
    return next((value for event in events if (value := getattr(event, column)) is not None), None)


def dim_sessions(sessions: Sequence[DaySession]) -> list[dict[str, Any]]:
    """One row per session."""
    return [
        {
            "user_id": visitor,
            "session_id": number,
            "start_date": events[0].event_date,
            "end_date": events[-1].event_date,
            "start_time": events[0].timestamp,
            "end_time": events[-1].timestamp,
            "session_duration_secs": seconds(events[-1].timestamp - events[0].timestamp),
            **{column: first_known(events, column) for column in ("country", "device", "os")},
        }
        for visitor, number, events in sessions
    ]


def users_journey(sessions: Sequence[DaySession]) -> list[dict[str, Any]]:
    """One row per event, with its place in its session."""
    return [
        {
            "user_id": visitor,
            "session_id": number,
            "event_id": event.event_id,
            "event": event.event,
            "time": event.timestamp,
            "date": event.event_date,
            "step_number": step,
            "seconds_since_previous": None if before is None else seconds(event.timestamp - before.timestamp),
        }
        for visitor, number, events in sessions
        for step, (before, event) in enumerate(with_previous(events), start=1)
    ]
