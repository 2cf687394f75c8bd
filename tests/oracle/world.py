"""Random ids, instants and rows, drawn where rules are decided. No files, no order of arrival."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from .draws import mixpanel_ids, padded, random_attributes, random_event, random_settings, weighted
from .inputs import TABLES, RawRow
from .seeds import Seeds

MICRO = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# Around a leap day, a new year, and New York's clock changes of 2024.
FIRST_DATES = (date(2024, 2, 27), date(2023, 12, 29), date(2024, 3, 8), date(2024, 11, 1), date(2024, 6, 3))
# The later of them repeats an hour.
CLOCK_CHANGES = (date(2024, 3, 8), date(2024, 11, 1), date(2024, 11, 1))
# Text order differs from number order, from case-blind order, and (last two) from UTF-16 order.
USERS = ("u1", "u10", "u2", "U2", "u 1 - x", "ü1", "u\uffe5", "u\U0001f600")
DEVICES = ("d1", "D1", "d1 ", "d2", "d10", "1", "01", "d'q\"", *(f"d{n}" for n in range(20, 31)))
PREVIOUS = ("p1", "p2", "p3")
EVENT_ID_SUFFIXES = ("", "", "A", "a", "\uffe5", "\U0001f600")
# Stages of the funnel, in the order in which somebody meets them.
WALKS = (
    (1, 2, 3, 4),
    (1, 2, 3, 4, 1, 2),
    (1, 1, 3, 2, 3, 2, 4, 4, 1),
    (2, 1, 2, 3),
    (1, 2, 3, 4, 1, 2, 3, 4),
    (1, 3, 4),
)


class World:
    """One seed's ids and days, and the rows that can happen among them."""

    def __init__(self, rng: Random, seeds: Seeds | None = None) -> None:
        """Draw the settings, the days and the ids; with seeds, for the analytics tables too."""
        self.rng = rng
        self.settings = random_settings(rng, seeds)
        has_changes = self.settings.timezone == "America/New_York"
        first = rng.choice(FIRST_DATES + CLOCK_CHANGES * 2 * has_changes)
        self.dates = tuple(first + n * DAY for n in range(rng.randint(4, 8)))
        self.users = rng.sample(USERS, rng.randint(2, 6))
        self.devices = rng.sample(DEVICES, rng.randint(3, len(DEVICES) - 2))
        if rng.random() < 0.5:
            # Ids that are a device's in one row and a user's in another.
            self.devices += rng.sample(self.users, rng.randint(1, 2))
        # Devices that many people use and that alias calls like to name.
        self.popular = self.devices[:2]
        self.timeout = timedelta(seconds=self.settings.session_timeout_seconds)
        self._number, self._event_ids = 0, set[str]()

    def midnight(self, day: date) -> datetime:
        """When a day begins, as naive UTC."""
        local = datetime.combine(day, time(), ZoneInfo(self.settings.timezone))
        return local.astimezone(UTC).replace(tzinfo=None)

    def instant(self) -> datetime:
        """An instant on one of the days, half of the time hard by midnight, rarely outside the days."""
        rng = self.rng
        midnight = self.midnight(self.dates[0] + rng.randint(0, len(self.dates)) * DAY)
        if rng.random() < 0.5:
            before = rng.choice((0 * MICRO, MICRO, -MICRO, self.timeout, self.timeout / 2, timedelta(minutes=5)))
            return midnight - min(before, DAY / 2)
        span = self.midnight(self.dates[-1] + DAY) - self.midnight(self.dates[0])
        return self.midnight(self.dates[0]) + rng.randrange(span // MICRO) * MICRO

    def gap(self) -> timedelta:
        """The time to the next event of a burst: often the timeout, or a microsecond to either side."""
        rng = self.rng
        kind = weighted(rng, {"tie": 2, "micro": 1, "short": 6, "exact": 4, "over": 2, "under": 2, "long": 2})
        return {
            "tie": 0 * MICRO,
            "micro": MICRO,
            "short": timedelta(seconds=rng.randint(1, 120)),
            "exact": self.timeout,
            "over": self.timeout + MICRO,
            "under": self.timeout - MICRO,
            "long": self.timeout + rng.randint(1, 7200) * timedelta(seconds=1),
        }[kind]

    def event_id(self) -> str:
        """A new event id, often one that differs from another in its last character only."""
        while True:
            self._number += self.rng.random() < 0.5
            event_id = f"e{self._number}{self.rng.choice(EVENT_ID_SUFFIXES)}"
            if event_id not in self._event_ids:
                self._event_ids.add(event_id)
                return event_id

    def received(self, at: datetime, source: str) -> datetime | None:
        """When a row arrived: soon, days later, a whole day before its own time (still allowed), or unknown."""
        if TABLES[source] == ("events",):
            return None
        late = weighted(self.rng, {1: 12, 3600: 3, 2 * 86400: 2, -86400: 1, None: 2})
        return None if late is None else at + timedelta(seconds=late)

    def row(
        self, device: str | None, user: str | None, at: datetime, table: str | None = None, source: str | None = None
    ) -> RawRow:
        """One sound row of some source and some table other than aliases; asked for another's table, a source has its own."""
        rng = self.rng
        source = source or rng.choice(self.settings.sources)
        table = table or weighted(rng, {"tracks": 10, "pages": 4, "screens": 2, "identifies": 4})
        table = table if table in TABLES[source] else "events"
        ids = mixpanel_ids(rng, device, user) if source == "mixpanel" else {"anonymous_id": device, "user_id": user}
        event_id = self.event_id()
        owner: dict[str, Any] = {name: padded(rng, text) for name, text in ids.items()}
        return RawRow(
            table=table,
            id=event_id,
            **owner,
            sequence=rng.choice((None, 0, 1, 2, 3)) if source == "mixpanel" else None,
            timestamp=at,
            received_at=self.received(at, source),
            event=random_event(rng, source, table, self.settings),
            source=source,
            **random_attributes(rng, source, table, self.settings),
        )

    def carriers(self) -> list[tuple[str | None, str | None]]:
        """The (device, user) that the events of one burst take turns at."""
        rng = self.rng
        device, other = rng.sample(self.devices, 2)
        user, guest = rng.sample(self.users, 2)
        kinds: tuple[list[tuple[str | None, str | None]], ...] = (
            [(device, None)],
            [(device, None), (device, None), (device, user)],
            [(device, user), (device, None)],
            [(None, user)],
            [(device, user), (other, user), (other, None)],
            [(device, user), (device, guest), (device, None)],
            [(device, guest), (other, guest)],
        )
        return rng.choice(kinds)

    def burst(
        self, start: datetime | None = None, carriers: Sequence[tuple[str | None, str | None]] | None = None
    ) -> list[RawRow]:
        """Events of one owner at gaps near the timeout, beginning near midnight or anywhere."""
        at = start or self.instant()
        carriers = carriers or self.carriers()
        rows = []
        for n in range(self.rng.randint(1, 7)):
            rows.append(self.row(*carriers[min(n, len(carriers) - 1)], at))
            at += self.gap()
            if at > self.midnight(self.dates[-1] + DAY) + HOUR:
                break
        return rows

    def funnel_pass(self) -> list[RawRow]:
        """One owner's walk through the funnel, straight or not, possibly twice, possibly over days."""
        rng, at, carriers = self.rng, self.instant(), self.carriers()
        events = {number: [event for n, _, event in self.settings.funnel if n == number] for number in (1, 2, 3, 4)}
        rows = []
        for n, stage in enumerate(rng.choice(WALKS)):
            row = self.row(*carriers[min(n, len(carriers) - 1)], at, rng.choice(("tracks", "tracks", "pages")))
            rows.append(replace(row, event=rng.choice(events[stage])))
            at += min(self.gap(), 6 * HOUR)
        return rows

    def touches_and_conversion(self) -> list[RawRow]:
        """One owner's visits from campaigns, then a conversion, mostly at the end of a visit's lookback or a microsecond to either side."""
        rng, at, carriers = self.rng, self.instant(), self.carriers()
        rows = []
        for n in range(rng.randint(1, 5)):
            row = self.row(*carriers[min(n, len(carriers) - 1)], at, rng.choice(("tracks", "pages")))
            campaign = f"https://shop.example/?utm_source=news&utm_medium=email&utm_campaign={n}"
            rows.append(replace(row, url=campaign if rng.random() < 0.8 else None))
            at += self.timeout + rng.choice((MICRO, HOUR))
        lookback = self.settings.attribution_lookback_days * DAY
        if lookback <= 2 * DAY and rng.random() < 0.7:
            at = rng.choice(rows).instant + lookback + rng.choice((-1, 0, 0, 1)) * MICRO
        names = [event for _, event, _ in self.settings.seeds.conversions]
        conversion = self.row(*carriers[-1], at, "tracks")
        return [*rows, replace(conversion, event=rng.choice(names)) if names else conversion]

    def clock_change(self) -> list[RawRow]:
        """Events of one device every half hour around a change of the clocks, if one is within the days."""
        zone, start = ZoneInfo(self.settings.timezone), self.midnight(self.dates[0])
        hours = [start + n * HOUR for n in range(24 * len(self.dates))]
        offsets = [hour.replace(tzinfo=UTC).astimezone(zone).utcoffset() for hour in hours]
        changes = [hour for hour, a, b in zip(hours, offsets, offsets[1:], strict=False) if a != b]
        device = self.rng.choice(self.devices)
        return [self.row(device, None, at + n * HOUR / 2) for at in changes for n in range(-2, 5)]

    def shared_device(self) -> list[RawRow]:
        """A device used by as many people as the guard allows, or one more."""
        rng = self.rng
        count = min(len(self.users), self.settings.max_users_per_alias + rng.choice((0, 1, 1)))
        device, at = rng.choice(self.popular), self.instant()
        rows = []
        for user in rng.sample(self.users, count):
            rows.append(self.row(device, user, at))
            at += self.gap()
        return rows

    def users_at_once(self) -> list[RawRow]:
        """Two users of one device at one instant, at the very beginning or end of the days."""
        rng = self.rng
        at = rng.choice((self.midnight(self.dates[0]), self.midnight(self.dates[-1] + DAY) - MICRO))
        device = rng.choice(self.popular)
        return [self.row(device, user, at) for user in rng.sample(self.users, 2)]

    def aliases(self, of_device: str | None = None) -> list[RawRow]:
        """An alias call, if need be of a certain device, or a chain of two."""
        rng = self.rng
        user, other = rng.sample(self.users, 2)
        previous, device = rng.choice(PREVIOUS), of_device or rng.choice(rng.choice((self.devices, self.popular)))
        third = rng.choice(self.devices)
        kinds: tuple[Sequence[tuple[str | None, ...]], ...] = (
            [(device, user)],
            [(other, user)],
            [(previous, user)],
            [(previous, user), (user, other)],
            [(device, user), (previous, user)],
            [(user, user)],
            [(rng.choice((None, "", "n/a")), user)],
            [(device, None)],
            [(device, None, third)],
            [(None, user, third)],
            [(previous, user, third)],
            self._fan_out(rng.choice((device, user, previous))),
        )
        return self._alias_calls(kinds[0] if of_device else rng.choice(kinds))

    def _alias_calls(self, calls: Sequence[tuple[str | None, ...]]) -> list[RawRow]:
        """Alias calls of (previous_id, user_id) or these and an anonymous_id, from a source that has such calls."""
        at, rows = self.instant(), []
        sources = [source for source in self.settings.sources if "aliases" in TABLES[source]]
        if not sources:
            return []
        source = self.rng.choice(sources)
        for n, (previous_id, user_id, *rest) in enumerate(calls):
            then = at + n * self.gap()
            received, anonymous_id = self.received(then, source), rest[0] if rest else None
            rows.append(
                RawRow("aliases", self.event_id(), anonymous_id, user_id, previous_id, then, received, source=source)
            )
        return rows

    def hub(self) -> list[RawRow]:
        """Alias calls that join a device with nearly, or just over, as many others as the guard allows."""
        return self._alias_calls(self._fan_out(self.rng.choice(self.popular)))

    def _fan_out(self, hub: str) -> list[tuple[str, str]]:
        """What alias calls join with one id: as many others as the guard allows, or one more."""
        count = self.settings.max_users_per_alias + self.rng.choice((0, 1, 1))
        others = [identifier for identifier in (*self.users, *PREVIOUS) if identifier != hub]
        return [(hub, other) for other in self.rng.sample(others, min(count, len(others)))]
