"""From raw rows to accepted events and rejected rows. Knows days and reasons, nothing of visitors."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import astuple, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from .inputs import EVENT_TYPES, Event, RawRow, Settings

SOURCE = "rudderstack"
ONE_DAY = timedelta(days=1)


def local_date(instant: datetime | None, timezone: str) -> date | None:
    """The reporting day of a naive UTC instant."""
    if instant is None:
        return None
    return instant.date() if timezone == "UTC" else instant.replace(tzinfo=UTC).astimezone(ZoneInfo(timezone)).date()


def cleaned(row: RawRow, blocked: Iterable[str]) -> RawRow:
    """The row with missing identifiers as None, and only the columns that its table has."""
    missing = {"", None, *blocked}

    def known(identifier: str | None) -> str | None:
        return None if identifier in missing else identifier

    is_alias = row.table == "aliases"
    is_named = row.table not in ("aliases", "identifies")
    return replace(
        row,
        id=row.id or None,
        anonymous_id=None if is_alias else known(row.anonymous_id),
        user_id=known(row.user_id),
        previous_id=known(row.previous_id) if is_alias else None,
        event=row.event if is_named else None,
        url=row.url if is_named else None,
    )


def is_future(row: RawRow) -> bool:
    """Whether the row claims to have happened more than a day after it was received."""
    return row.timestamp is not None and row.received_at is not None and row.timestamp - row.received_at > ONE_DAY


def fault(row: RawRow) -> str | None:
    """Why a cleaned row cannot be an event, judged by itself alone."""
    if row.id is None:
        return "no_event_id"
    if row.timestamp is None:
        return "no_timestamp"
    if row.anonymous_id is None and row.user_id is None:
        return "no_identity"
    if is_future(row):
        return "future_timestamp"
    return None


def dated(row: RawRow, timezone: str) -> date | None:
    """The day a row belongs to: that of its timestamp, or of its receipt where the timestamp is the fault."""
    instant = row.received_at if row.timestamp is None or is_future(row) else row.timestamp
    return local_date(instant, timezone)


def keep_first(row: RawRow) -> tuple:
    """Among rows of one event_id and day the smallest of these is the event."""
    content = tuple("" if value is None else str(value) for value in astuple(row))
    return row.timestamp, row.received_at is None, row.received_at or datetime.min, content


def as_event(row: RawRow, event_date: date) -> Event:
    """An accepted row as an event."""
    return Event(
        event_id=row.id,
        source=SOURCE,
        event_type=EVENT_TYPES[row.table],
        event=row.event,
        anonymous_id=row.anonymous_id,
        user_id=row.user_id,
        previous_id=row.previous_id,
        timestamp=row.timestamp,
        event_date=event_date,
        received_at=row.received_at,
        url=row.url,
    )


def as_rejected(row: RawRow, reason: str, event_date: date | None) -> dict:
    """A row of core.rejected_events."""
    return {
        "event_id": row.id,
        "source": SOURCE,
        "reason": reason,
        "event_date": event_date,
        "received_at": row.received_at,
    }


def take_in(
    raw: Sequence[RawRow], settings: Settings, first_date: date, last_date: date
) -> tuple[list[Event], list[dict]]:
    """Accepted events in order, and rejected rows, of the days asked for."""
    candidates: dict[tuple[str, date], list[RawRow]] = defaultdict(list)
    rejected = []
    for row in (cleaned(row, settings.blocked_ids) for row in raw):
        reason = fault(row)
        event_date = dated(row, settings.timezone)
        if event_date is not None and not first_date <= event_date <= last_date:
            continue
        if reason is None:
            candidates[row.id, event_date].append(row)
        else:
            rejected.append(as_rejected(row, reason, event_date))

    events = []
    for (_, event_date), rows in candidates.items():
        kept, *others = sorted(rows, key=keep_first) if len(rows) > 1 else rows
        events.append(as_event(kept, event_date))
        rejected.extend(as_rejected(row, "duplicate_event_id", event_date) for row in others)
    return sorted(events, key=lambda event: event.order), rejected
