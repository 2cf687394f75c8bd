"""The funnel: every visitor's passes through its stages, and how many passes of a day got how far."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from .inputs import Event
from .sessions import seconds

Funnel = Sequence[tuple[int, str, str]]


def passes(events: Sequence[Event], stage_of: Mapping[str, int]) -> list[list[Event]]:
    """One visitor's passes: of each the events that reached stage 1, 2, ..."""
    found: list[list[Event]] = []
    last = max(stage_of.values(), default=0)
    for event in events:
        stage = None if event.event is None else stage_of.get(event.event)
        reached = len(found[-1]) if found else last
        if stage == 1 and reached == last:
            found.append([event])
        elif stage == reached + 1:
            found[-1].append(event)
    return found


def funnel_stages(events_of: Mapping[str, Sequence[Event]], funnel: Funnel) -> list[dict[str, Any]]:
    """One row per stage that a pass reached."""
    names = {number: name for number, name, _ in funnel}
    stage_of = {event: number for number, _, event in funnel}
    return [
        {
            "dbt_visitor_id": visitor,
            "entry_number": number,
            "stage_number": stage,
            "stage_name": names[stage],
            "event_id": event.event_id,
            "event": event.event,
            "reached_at": event.timestamp,
            "seconds_since_previous_stage": (
                None if stage == 1 else seconds(event.timestamp - reached[stage - 2].timestamp)
            ),
            "entry_date": reached[0].event_date,
            "reached_date": event.event_date,
        }
        for visitor, events in events_of.items()
        for number, reached in enumerate(passes(events, stage_of), start=1)
        for stage, event in enumerate(reached, start=1)
    ]


def funnel_daily(stages: Sequence[dict[str, Any]], funnel: Funnel) -> list[dict[str, Any]]:
    """One row per stage for each day on which a pass began."""
    names = {number: name for number, name, _ in funnel}
    days = {row["entry_date"] for row in stages}
    visitors: dict[tuple[date, int], list[str]] = {(day, stage): [] for day in days for stage in names}
    for row in stages:
        visitors[row["entry_date"], row["stage_number"]].append(row["dbt_visitor_id"])
    rows = []
    for (day, stage), its in visitors.items():
        before = len(visitors[day, stage - 1]) if stage > 1 else 0
        rows.append(
            {
                "date": day,
                "stage_number": stage,
                "stage_name": names[stage],
                "entries": len(its),
                "visitors": len(set(its)),
                "conversion_from_previous": len(its) / before if before else None,
                "conversion_from_first": len(its) / len(visitors[day, 1]),
            }
        )
    return rows
