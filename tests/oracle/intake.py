"""From raw rows to accepted events and rejected rows. Knows days and reasons, nothing of visitors."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import astuple, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import md5
from typing import Any
from zoneinfo import ZoneInfo

from .inputs import Event, RawRow, Settings

ONE_DAY = timedelta(days=1)
CAMPAIGN = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term")
PLACE = ("country", "device", "os")
OPTIONAL = ("event", "url", "path", "title", "referrer", "search", *CAMPAIGN, *PLACE, "user_agent")
# Which of the optional columns a table has.
OPTIONAL_OF = {
    "tracks": frozenset(OPTIONAL),
    "pages": frozenset(OPTIONAL),
    "screens": frozenset(OPTIONAL),
    "identifies": frozenset(OPTIONAL) - {"event", "search"},
    "aliases": frozenset(),
    "mixpanel.events": frozenset(("event", "url", "referrer", *CAMPAIGN, *PLACE)),
    "measure_js.events": frozenset(("event", "url", "referrer", *PLACE, "user_agent")),
}


def optional_columns(source: str, table: str) -> frozenset[str]:
    """The optional columns of a source's table."""
    return OPTIONAL_OF[f"{source}.events" if table == "events" else table]


def local_date(instant: datetime | None, timezone: str) -> date | None:
    """The reporting day of a naive UTC instant."""
    if instant is None:
        return None
    return instant.date() if timezone == "UTC" else instant.replace(tzinfo=UTC).astimezone(ZoneInfo(timezone)).date()


def event_id(row: RawRow, sources: Sequence[str]) -> str | None:
    """The row's event_id: the first source keeps its ids, those of the others have their source as prefix."""
    if not row.id:
        return None
    return row.id if row.source == sources[0] else f"{row.source}:{row.id}"


DEVICE_PREFIX = "$device:"


def known(identifier: str | None, settings: Settings) -> str | None:
    """An identifier without the blanks around it; None where it is a placeholder, in whatever case."""
    text = (identifier or "").strip()
    nobody = {"", *(blocked.strip().lower() for blocked in settings.blocked_ids)}
    return None if text.lower() in nobody else text


def mixpanel_ids(row: RawRow, settings: Settings) -> tuple[str | None, str | None]:
    """Mixpanel's device and user: distinct_id is either of them."""

    def named(identifier: str | None) -> str | None:
        return known((identifier or "").strip().removeprefix(DEVICE_PREFIX), settings)

    device, distinct, user = named(row.device_id), named(row.anonymous_id), known(row.user_id, settings)
    is_marked_device = (row.anonymous_id or "").strip().startswith(DEVICE_PREFIX)
    if user is None and device is not None and distinct != device and not is_marked_device:
        user = distinct
    return device or distinct, user


def cleaned(row: RawRow, settings: Settings) -> RawRow:
    """The row with its event_id, with missing identifiers as None, and only the columns that its table has."""
    is_mixpanel = row.source == "mixpanel"
    device, user = (
        mixpanel_ids(row, settings)
        if is_mixpanel
        else (known(row.anonymous_id, settings), known(row.user_id, settings))
    )
    absent: dict[str, Any] = dict.fromkeys(set(OPTIONAL) - optional_columns(row.source, row.table))
    return replace(
        row,
        id=event_id(row, settings.sources),
        anonymous_id=device,
        user_id=user,
        previous_id=known(row.previous_id, settings) if row.table == "aliases" else None,
        received_at=None if row.table == "events" else row.received_at,
        sequence=(row.sequence or 0) if is_mixpanel else 0,
        **absent,
    )


def sameness(row: RawRow) -> str:
    """What rows of one event_id and date must share to be copies of one event; nothing but with mixpanel."""
    if row.source != "mixpanel" or row.timestamp is None:
        return ""
    seconds = int((row.timestamp - datetime(1970, 1, 1)) // timedelta(seconds=1))
    return f"{seconds} {row.event or ''} {(row.anonymous_id or '').strip()}"


def is_future(row: RawRow) -> bool:
    """Whether the row claims to have happened more than a day after it was received."""
    return row.timestamp is not None and row.received_at is not None and row.timestamp - row.received_at > ONE_DAY


def fault(row: RawRow) -> str | None:
    """Why a cleaned row cannot be an event, judged by itself alone."""
    if row.id is None and row.source == "measure_js":
        raise ValueError("the id that a measure_js row without one gets is not modelled")
    if row.id is None:
        return "no_event_id"
    if row.timestamp is None:
        return "no_timestamp"
    if row.anonymous_id is None and row.user_id is None:
        return "no_identity"
    if is_future(row):
        return "future_timestamp"
    return None


def is_dated_by_receipt(row: RawRow) -> bool:
    """Whether its timestamp is the fault, and says nothing of its day."""
    return row.timestamp is None or is_future(row)


def dated(row: RawRow, timezone: str) -> date | None:
    """The day a row belongs to: that of its timestamp, or of its receipt where the timestamp is the fault."""
    instant = row.received_at if is_dated_by_receipt(row) else row.timestamp
    return local_date(instant, timezone)


def keep_first(row: RawRow) -> tuple[Any, ...]:
    """Among rows of one event_id and day the smallest of these is the event."""
    content = tuple("" if value is None else str(value) for value in astuple(row))
    return row.timestamp, row.received_at is None, row.received_at or datetime.min, content


def as_event(row: RawRow, event_date: date) -> Event:
    """An accepted row as an event."""
    assert row.id is not None
    return Event(
        event_id=row.id,
        source=row.source,
        event_type=row.event_type,
        anonymous_id=row.anonymous_id,
        user_id=row.user_id,
        previous_id=row.previous_id,
        timestamp=row.instant,
        event_date=event_date,
        received_at=row.received_at,
        event_sequence=row.sequence or 0,
        properties=row.traits,
        **{name: getattr(row, name) for name in OPTIONAL},
    )


def as_rejected(row: RawRow, reason: str, event_date: date | None) -> dict[str, Any]:
    """A row of core.rejected_events."""
    return {
        "event_id": row.id,
        "source": row.source,
        "reason": reason,
        "event_date": event_date,
        "received_at": row.received_at,
    }


def separated(rows_by_key: Mapping[str, list[RawRow]]) -> list[list[RawRow]]:
    """The rows of one event_id and date, event by event: the first event keeps the id, the others add a digest of what they differ in."""
    first, *others = sorted(rows_by_key, key=lambda key: (min(row.instant for row in rows_by_key[key]), key))
    return [
        rows_by_key[first],
        *([replace(row, id=f"{row.id}-{md5(key.encode()).hexdigest()}") for row in rows_by_key[key]] for key in others),
    ]


def take_in(
    raw: Sequence[RawRow], settings: Settings, first_date: date, last_date: date
) -> tuple[list[Event], list[dict[str, Any]]]:
    """Accepted events in order, and rejected rows, of the days asked for."""
    candidates: dict[tuple[str, date], dict[str, list[RawRow]]] = defaultdict(lambda: defaultdict(list))
    rejected = []
    for given in (row for row in raw if row.source in settings.sources):
        row = cleaned(given, settings)
        reason = fault(row)
        event_date = dated(row, settings.timezone)
        if event_date is not None and not first_date <= event_date <= last_date:
            if not is_dated_by_receipt(row):
                continue
            event_date = None
        if reason is None:
            assert row.id is not None
            assert event_date is not None
            candidates[row.id, event_date][sameness(given)].append(row)
        else:
            rejected.append(as_rejected(row, reason, event_date))

    events = []
    for event_date, rows in ((day, rows) for (_, day), by_key in candidates.items() for rows in separated(by_key)):
        kept, *others = sorted(rows, key=keep_first) if len(rows) > 1 else rows
        events.append(as_event(kept, event_date))
        rejected.extend(as_rejected(row, "duplicate_event_id", event_date) for row in others)
    return sorted(events, key=lambda event: event.order), rejected
