"""The analytics tables but attribution: sessions, visitors, their days, channels by day, and how visitors return."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, TypeVar

from .attribution import attribution
from .inputs import Event, Settings
from .intake import local_date
from .sessions import Session, seconds, with_previous
from .touches import DIRECT, Touch, channel_group, path, site, text
from .visits import MILLIONTHS, PAGE_TYPES, Visit, conversions, engaged, last_non_direct

T = TypeVar("T")
K = TypeVar("K")

ANALYTICS_KEYS: dict[str, tuple[str, ...]] = {
    "core.user_agents": ("user_agent",),
    "analytics.sessions": ("session_key",),
    "analytics.visitors": ("dbt_visitor_id",),
    "analytics.attribution": ("conversion_date", "conversion_event_id", "conversion_name", "touch_number"),
    "analytics.visitor_days": ("dbt_visitor_id", "date"),
    "analytics.channels_daily": ("date", "channel_group", "touch_source", "touch_medium", "traffic_type"),
    "analytics.retention_weekly": ("cohort_week", "channel_group", "week_number"),
}


def user_agents(events: Sequence[Event], settings: Settings) -> list[dict[str, Any]]:
    """One row per user agent of any event."""
    found = {agent for event in events if (agent := text(event.user_agent))}
    names = ("user_agent", "browser", "os", "device_type", "is_bot")
    return [dict(zip(names, (agent, *settings.parse_user_agent(agent)), strict=True)) for agent in sorted(found)]


def group_of_last_non_direct(visits: Sequence[Visit], visit: Visit) -> tuple[Touch, str]:
    """The last touch that is not direct, else direct, and its channel group."""
    found = last_non_direct(visits, visit)
    return (found.touch, found.channel_group) if found else (DIRECT, channel_group(DIRECT, visit.settings.seeds))


def touch_columns(prefix: str, touch: Touch, group: str) -> dict[str, Any]:
    """A touch in the columns of a prefix."""
    return {
        f"{prefix}_source": touch.source,
        f"{prefix}_medium": touch.medium,
        f"{prefix}_campaign": touch.campaign,
        f"{prefix}_channel_group": group,
    }


def session_row(visit: Visit, before: Visit | None, visits: Sequence[Visit]) -> dict[str, Any]:
    """A row of analytics.sessions."""
    session, landing, last = visit.session, visit.landing, visit.exit
    touch, (last_touch, last_group) = visit.touch, group_of_last_non_direct(visits, visit)
    return {
        "session_key": session.key,
        "session_id": session.id,
        "dbt_visitor_id": session.visitor,
        "session_sequence_number": session.number,
        "session_start_at": session.start,
        "session_end_at": session.end,
        "session_start_date": local_date(session.start, visit.settings.timezone),
        "session_duration_seconds": seconds(session.duration),
        "event_count": len(visit.events),
        "page_count": len(visit.pages),
        "unique_pages": len({event.url or event.event for event in visit.pages} - {None}),
        "engaged_seconds": seconds(visit.engaged_time),
        "conversion_count": len(visit.conversions),
        "conversion_value": sum(value for *_, value in visit.conversions) / MILLIONTHS,
        "is_engaged": visit.is_engaged,
        "is_bounce": not visit.is_engaged if visit.pages else None,
        "landing_url": landing.url,
        "landing_path": path(landing),
        "landing_title": landing.title,
        "exit_url": last.url,
        "exit_path": path(last),
        "referrer": landing.referrer,
        "referrer_host": site(landing.referrer),
        "touch_source": touch.source,
        "touch_medium": touch.medium,
        "touch_campaign": touch.campaign,
        "touch_content": touch.content,
        "touch_term": touch.term,
        "channel_group": visit.channel_group,
        **touch_columns("last_non_direct", last_touch, last_group),
        "country": visit.first("country"),
        "device_type": visit.first("device") or visit.first_of_agents(2),
        "os": visit.first("os") or visit.first_of_agents(1),
        "browser": visit.first_of_agents(0),
        "source": visit.events[0].source,
        "first_event": visit.events[0].event,
        "last_event": visit.events[-1].event,
        "split_cause": session.split_cause,
        "is_new_visitor": session.number == 1,
        "seconds_since_previous_session": None if before is None else seconds(session.start - before.session.end),
        "traffic_type": visit.traffic_type,
    }


def newest(rows: Sequence[dict[str, Any]], column: str) -> str | None:
    """The newest value of a column of a visitor's sessions that is not null."""
    return next((row[column] for row in reversed(rows) if row[column] is not None), None)


def visitor_row(visits: Sequence[Visit], rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A row of analytics.visitors, from a visitor's visits and their rows of analytics.sessions."""
    first, last = visits[0], visits[-1]
    events = [event for visit in visits for event in visit.events]
    return {
        "dbt_visitor_id": first.session.visitor,
        "first_seen_at": first.session.start,
        "last_seen_at": last.session.end,
        "session_count": len(visits),
        "engaged_session_count": sum(visit.is_engaged for visit in visits),
        "event_count": len(events),
        "active_days": len({event.event_date for event in events}),
        "conversion_count": sum(len(visit.conversions) for visit in visits),
        "conversion_value": sum(value for visit in visits for *_, value in visit.conversions) / MILLIONTHS,
        **touch_columns("first_touch", first.touch, first.channel_group),
        "first_landing_path": path(first.landing),
        **touch_columns("last_non_direct", *group_of_last_non_direct(visits, last)),
        "device_count": len({event.anonymous_id for event in events} - {None}),
        "user_id_count": len({event.user_id for event in events} - {None}),
        **{column: newest(rows, column) for column in ("country", "device_type", "os", "browser")},
        "traffic_type": last.traffic_type,
    }


def lifecycle(day: date, days: set[date], returning_days: int) -> str:
    """What a day is to a visitor who was active on these days."""
    if day == min(days):
        return "new"
    is_recent = any(day - timedelta(days=returning_days) <= other < day for other in days)
    return "returning" if is_recent else "resurrected"


def visitor_days(visits: Sequence[Visit], settings: Settings) -> list[dict[str, Any]]:
    """One row per day of a visitor."""
    events_of: dict[date, list[Event]] = defaultdict(list)
    sessions_of: dict[date, set[int]] = defaultdict(set)
    engaged_on: dict[date, timedelta] = defaultdict(timedelta)
    for visit in visits:
        for event in visit.events:
            events_of[event.event_date].append(event)
            sessions_of[event.event_date].add(visit.session.number)
        for event, gap in engaged(visit.events, settings):
            engaged_on[event.event_date] += gap
    rows = []
    for day, events in events_of.items():
        found = [conversion for event in events for conversion in conversions(event, settings)]
        rows.append(
            {
                "dbt_visitor_id": visits[0].session.visitor,
                "date": day,
                "session_count": len(sessions_of[day]),
                "event_count": len(events),
                "page_count": sum(event.event_type in PAGE_TYPES for event in events),
                "engaged_seconds": seconds(engaged_on[day]),
                "conversion_count": len(found),
                "conversion_value": sum(value for _, value in found) / MILLIONTHS,
                "lifecycle": lifecycle(day, set(events_of), settings.returning_days),
            }
        )
    return rows


def grouped(items: Sequence[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    """The items by some key."""
    groups: dict[K, list[T]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups


def channels_daily(visits: Sequence[Visit], settings: Settings) -> list[dict[str, Any]]:
    """One row per day, touch and kind of traffic."""

    def key(visit: Visit) -> tuple[Any, ...]:
        day = local_date(visit.session.start, settings.timezone)
        return day, visit.channel_group, visit.touch.source, visit.touch.medium, visit.traffic_type

    names = ANALYTICS_KEYS["analytics.channels_daily"]
    return [
        {
            **dict(zip(names, values, strict=True)),
            "sessions": len(its),
            "visitors": len({visit.session.visitor for visit in its}),
            "new_visitors": sum(visit.session.number == 1 for visit in its),
            "engaged_sessions": sum(visit.is_engaged for visit in its),
            "events": sum(len(visit.events) for visit in its),
            "conversions": sum(len(visit.conversions) for visit in its),
            "conversion_value": sum(value for visit in its for *_, value in visit.conversions) / MILLIONTHS,
        }
        for values, its in grouped(visits, key).items()
    ]


def monday(day: date) -> date:
    """The first day of its week."""
    return day - timedelta(days=day.weekday())


def retention_weekly(visits_of: Mapping[str, Sequence[Visit]]) -> list[dict[str, Any]]:
    """One row per cohort, first channel and week in which somebody of them was active."""
    size: dict[tuple[date, str], int] = defaultdict(int)
    active: dict[tuple[date, str, int], int] = defaultdict(int)
    for visits in visits_of.values():
        weeks = {monday(event.event_date) for visit in visits for event in visit.events}
        cohort = min(weeks), visits[0].channel_group
        size[cohort] += 1
        for week in weeks:
            active[(*cohort, (week - min(weeks)).days // 7)] += 1
    return [
        {
            "cohort_week": cohort_week,
            "channel_group": group,
            "week_number": number,
            "visitors": count,
            "cohort_size": size[cohort_week, group],
        }
        for (cohort_week, group, number), count in active.items()
    ]


def analytics_tables(
    events: Sequence[Event], sessions_by_visitor: Mapping[str, Sequence[Session]], settings: Settings
) -> dict[str, list[dict[str, Any]]]:
    """All of them, from the accepted events and the sessions."""
    visits_of = {
        visitor: [Visit.of(session, settings) for session in sessions]
        for visitor, sessions in sessions_by_visitor.items()
    }
    rows_of = {
        visitor: [session_row(visit, before, its) for before, visit in with_previous(its)]
        for visitor, its in visits_of.items()
    }
    visits = [visit for its in visits_of.values() for visit in its]
    return {
        "core.user_agents": user_agents(events, settings),
        "analytics.sessions": [row for rows in rows_of.values() for row in rows],
        "analytics.visitors": [visitor_row(its, rows_of[visitor]) for visitor, its in visits_of.items()],
        "analytics.attribution": [row for its in visits_of.values() for row in attribution(its, settings)],
        "analytics.visitor_days": [row for its in visits_of.values() for row in visitor_days(its, settings)],
        "analytics.channels_daily": channels_daily(visits, settings),
        "analytics.retention_weekly": retention_weekly(visits_of),
    }
