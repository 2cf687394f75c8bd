"""The measure_js tables: sessions per client, which is a device, and never asks who the person is."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from .inputs import Event, Settings
from .intake import local_date
from .sessions import MICROSECOND, Session, by_owner, seconds, sessions_of

K = TypeVar("K")


class Visit(NamedTuple):
    """An event and the client's session that it is in."""

    session: Session
    event: Event

    @property
    def client(self) -> str:
        """The client_id."""
        return self.session.visitor


def client_id(event: Event) -> str:
    """The device, or the user if there is no device."""
    identifier = event.user_id if event.anonymous_id is None else event.anonymous_id
    assert identifier is not None
    return identifier


def client_sessions(events: Sequence[Event], settings: Settings) -> list[Session]:
    """The sessions of all clients."""
    timeout = timedelta(seconds=settings.session_timeout_seconds)
    events_of = by_owner(events, client_id, settings.session_event_types)
    return [session for client, its in events_of.items() for session in sessions_of(client, its, timeout)]


def grouped(visits: Sequence[Visit], key: Callable[[Visit], K]) -> dict[K, list[Visit]]:
    """The visits by some key."""
    groups: dict[K, list[Visit]] = defaultdict(list)
    for visit in visits:
        groups[key(visit)].append(visit)
    return groups


def sessions_in(visits: Sequence[Visit]) -> list[Session]:
    """The sessions of the visits, each once."""
    return list({visit.session.id: visit.session for visit in visits}.values())


def average_duration(visits: Sequence[Visit]) -> float:
    """The average length in seconds of the visits' sessions, each once and as a whole."""
    sessions = sessions_in(visits)
    return sum(session.duration // MICROSECOND for session in sessions) / 1e6 / len(sessions)


def activity(visits: Sequence[Visit]) -> dict[str, Any]:
    """When and how much."""
    times = [visit.event.timestamp for visit in visits]
    return {
        "first_seen": min(times),
        "last_seen": max(times),
        "days_active": len({visit.event.event_date for visit in visits}),
        "total_events": len(visits),
        "total_sessions": len(sessions_in(visits)),
    }


def event_blocks(visits: Sequence[Visit], timezone: str) -> list[dict[str, Any]]:
    """One row per local hour; an hour that the clocks repeat is two."""
    counts: Counter[tuple[date, int, datetime]] = Counter()
    for _, event in visits:
        local = event.timestamp.replace(tzinfo=UTC).astimezone(ZoneInfo(timezone))
        past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        counts[local.date(), local.hour, event.timestamp - past] += 1
    return [
        {"date": day, "hour": hour, "hour_block": began, "event_count": count}
        for (day, hour, began), count in counts.items()
    ]


def events_sessionated(visits: Sequence[Visit]) -> list[dict[str, Any]]:
    """One row per event."""
    return [
        {
            "event_id": event.event_id,
            "event_type": event.event_type,
            "client_id": session.visitor,
            "user_id": event.user_id,
            "timestamp": event.timestamp,
            "event_name": event.event,
            **{name: getattr(event, name) for name in ("url", "path", "title", "referrer", "country", "device", "os")},
            "new_session": int(event is session.events[0]),
            "session_number": session.number,
            "session_id": session.id,
            "session_duration": seconds(session.duration),
            "event_date": event.event_date,
        }
        for session, event in visits
    ]


def user_map(visits: Sequence[Visit]) -> list[dict[str, Any]]:
    """One row per client and user seen together."""
    together = grouped([visit for visit in visits if visit.event.user_id], lambda v: (v.client, v.event.user_id))
    return [
        {
            "client_id": client,
            "user_id": user,
            "first_seen": min(visit.event.timestamp for visit in its),
            "last_seen": max(visit.event.timestamp for visit in its),
        }
        for (client, user), its in together.items()
    ]


def users(visits: Sequence[Visit]) -> list[dict[str, Any]]:
    """One row per client and user, and one for what a client did without a user."""
    return [
        {"client_id": client, "user_id": user, **activity(its), "avg_session_duration": average_duration(its)}
        for (client, user), its in grouped(visits, lambda v: (v.client, v.event.user_id)).items()
    ]


def clients(visits: Sequence[Visit]) -> list[dict[str, Any]]:
    """One row per client that never had a user."""
    return [
        {"client_id": client, **activity(its)}
        for client, its in grouped(visits, lambda v: v.client).items()
        if not any(visit.event.user_id for visit in its)
    ]


def sessions_table(sessions: Sequence[Session], timezone: str) -> list[dict[str, Any]]:
    """One row per session."""
    return [
        {
            "session_id": session.id,
            "client_id": session.visitor,
            "user_id": next((event.user_id for event in reversed(session.events) if event.user_id), None),
            "session_start": session.start,
            "session_end": session.end,
            "session_duration": seconds(session.duration),
            "pageviews": sum(event.event_type == "page" for event in session.events),
            "total_events": len(session.events),
            "unique_pages": len({event.url for event in session.events} - {None}),
            "events": sorted({event.event for event in session.events} - {None}),
            "session_start_date": local_date(session.start, timezone),
        }
        for session in sessions
    ]


def daily_performance(visits: Sequence[Visit]) -> list[dict[str, Any]]:
    """One row per day with events."""
    return [
        {
            "date": day,
            "daily_active_users": len({visit.client for visit in its}),
            "daily_active_registered_users": len({visit.event.user_id for visit in its} - {None}),
            "total_sessions": len(sessions_in(its)),
            "total_events": len(its),
            "pageviews": sum(visit.event.event_type == "page" for visit in its),
            "avg_session_duration": average_duration(its),
        }
        for day, its in grouped(visits, lambda v: v.event.event_date).items()
    ]


def measure_js_tables(events: Sequence[Event], settings: Settings) -> dict[str, list[dict[str, Any]]]:
    """All of them, from the accepted events."""
    sessions = client_sessions(events, settings)
    visits = [Visit(session, event) for session in sessions for event in session.events]
    return {
        "measure_js.event_blocks": event_blocks(visits, settings.timezone),
        "measure_js.events_sessionated": events_sessionated(visits),
        "measure_js.user_map": user_map(visits),
        "measure_js.users": users(visits),
        "measure_js.sessions": sessions_table(sessions, settings.timezone),
        "measure_js.clients": clients(visits),
        "measure_js.daily_performance": daily_performance(visits),
    }
