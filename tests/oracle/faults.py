"""Rows that go wrong: second rows of one event id, and rows that lack something or only seem to."""

from dataclasses import replace
from typing import Any

from .draws import random_event, weighted
from .inputs import RawRow
from .world import DAY, HOUR, MICRO, World


def duplicate(world: World, row: RawRow) -> RawRow:
    """A row with the id of another: the same again, or another on this or another day, or in another table or source."""
    rng = world.rng
    at = row.timestamp or world.instant()
    others = [source for source in world.settings.sources if source != row.source]
    kinds = {
        "exact": 2,
        "received": 2,
        "later": 3,
        "other day": 3,
        "other table": 2,
        "other source": 6 * bool(others and row.id),
    }
    kind = weighted(rng, kinds | {"other event": 6 * (row.source == "mixpanel")})
    if kind == "other event":
        return replace(
            row,
            event=random_event(rng, row.source, row.table, world.settings),
            timestamp=at + rng.choice((0, 0, 1)) * MICRO,
        )
    if kind == "received":
        return replace(row, received_at=rng.choice((None, world.received(at + MICRO, row.source))))
    if kind == "later":
        return replace(row, timestamp=at + world.gap())
    if kind == "other day":
        return replace(row, timestamp=at + rng.choice((-1, 1)) * DAY)
    device, user = world.carriers()[0]
    if kind == "other table":
        table = rng.choice(("tracks", "pages"))
        return replace(world.row(device, user, at + world.gap(), table, row.source), id=row.id)
    if kind == "other source":
        after = rng.choice((0 * MICRO, world.gap()))
        return replace(world.row(device, user, at + after, source=rng.choice(others)), id=row.id)
    return row


def broken(world: World, row: RawRow) -> RawRow:
    """The row with a fault that its table can have, or several; some of the changes only look like faults."""
    rng = world.rng
    at = row.timestamp or world.instant()
    nobody = rng.choice((None, "", " ", "n/a", "N/A", " n/a "))
    if row.table == "aliases":
        return replace(row, user_id=None)
    has_id, has_receipt = row.source != "measure_js", row.table != "events"
    kinds = {"id": 2 * has_id, "time": 3, "identity": 3, "one id": 2, "many": 1}
    kind = weighted(rng, kinds | {"future": 3 * has_receipt, "a day ahead": 2 * has_receipt})
    if kind == "many":
        missing: dict[str, Any] = {rng.choice(("id", "timestamp")) if has_id else "timestamp": None}
        return replace(broken(world, row), **missing)
    changes: dict[str, dict[str, Any]] = {
        "id": {"id": rng.choice((None, ""))},
        "time": {"timestamp": None, "received_at": world.received(at, row.source)},
        "identity": {"anonymous_id": nobody, "user_id": rng.choice((nobody, "")), "device_id": None},
        "future": {"received_at": at - DAY - rng.choice((MICRO, DAY, HOUR))},
        "a day ahead": {"received_at": at - DAY},
        "one id": {"user_id" if row.anonymous_id else "anonymous_id": rng.choice(("", "n/a"))},
    }
    return replace(row, **changes[kind])
