"""A session as the analytics tables see it: its touch, its conversions, how engaged it was, who made it. No tables."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import cached_property
from itertools import pairwise
from typing import Literal

from .inputs import Event, Settings, UserAgent
from .sessions import MICROSECOND, Session
from .touches import DIRECT, Touch, channel_group, event_touch, without_blank_texts

PAGE_TYPES = ("page", "screen")
NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
# Values are whole millionths until the end.
MILLIONTHS = 10**6
# 18 digits before the point.
LARGE = 10**24
# Enough digits for any double.
EXACT = Context(prec=700)
SUSPECT_EVENT_COUNT = 200


def millionths(value: str | int | float | None) -> int:
    """A number, or a text that is one, in whole millionths, rounded half away from zero; 0 for anything else, and for larger ones."""
    written = "" if value is None or isinstance(value, bool) else str(value).strip(" ")
    if not NUMBER.fullmatch(written):
        return 0
    value_in_millionths = int(EXACT.multiply(Decimal(written), Decimal(MILLIONTHS)).to_integral_value(ROUND_HALF_UP))
    return value_in_millionths if abs(value_in_millionths) < LARGE else 0


def conversions(event: Event, settings: Settings) -> list[tuple[str, int]]:
    """The conversions that an event is: their names, and their values in millionths."""
    properties = dict(event.properties)
    return [
        (name, millionths(properties.get(key)) if key else 0)
        for name, converting, key in settings.seeds.conversions
        if event.event == converting
    ]


def engaged(events: Sequence[Event], settings: Settings) -> list[tuple[Event, timedelta]]:
    """The engaged time before each event but the first of a session."""
    most = timedelta(seconds=settings.engaged_gap_seconds)
    return [(after, min(after.timestamp - before.timestamp, most)) for before, after in pairwise(events)]


@dataclass(frozen=True)
class Visit:
    """A session, its events without blank texts."""

    session: Session
    settings: Settings

    @classmethod
    def of(cls, session: Session, settings: Settings) -> "Visit":
        """The visit of a session."""
        events = tuple(without_blank_texts(event) for event in session.events)
        return cls(replace(session, events=events), settings)

    @property
    def events(self) -> tuple[Event, ...]:
        """The events in order."""
        return self.session.events

    @cached_property
    def touch(self) -> Touch:
        """The touch of the first event that has one."""
        touches = (event_touch(event, self.settings) for event in self.events)
        return next((touch for touch in touches if touch), DIRECT)

    @cached_property
    def channel_group(self) -> str:
        """The group of its touch."""
        return channel_group(self.touch, self.settings.seeds)

    @cached_property
    def conversions(self) -> list[tuple[Event, str, int]]:
        """Its conversions: the event, the name, and the value in millionths."""
        return [(event, *found) for event in self.events for found in conversions(event, self.settings)]

    @cached_property
    def engaged_time(self) -> timedelta:
        """The gaps between its events, each as far as it counts."""
        return sum((gap for _, gap in engaged(self.events, self.settings)), timedelta())

    @cached_property
    def pages(self) -> list[Event]:
        """Its pages and screens."""
        return [event for event in self.events if event.event_type in PAGE_TYPES]

    @cached_property
    def is_engaged(self) -> bool:
        """Whether it was more than a glance."""
        is_long = self.engaged_time > timedelta(seconds=self.settings.engaged_session_seconds)
        return is_long or bool(self.conversions) or len(self.pages) >= 2

    @cached_property
    def agents(self) -> list[UserAgent]:
        """What the parser says of its events' user agents."""
        return [self.settings.parse_user_agent(event.user_agent) for event in self.events if event.user_agent]

    @property
    def landing(self) -> Event:
        """The first event with a url, else the first."""
        return next((event for event in self.events if event.url), self.events[0])

    @property
    def exit(self) -> Event:
        """The last event with a url, else the last."""
        return next((event for event in reversed(self.events) if event.url), self.events[-1])

    def first(self, column: str) -> str | None:
        """The first value of a column that is not null."""
        return next((value for event in self.events if (value := getattr(event, column))), None)

    def first_of_agents(self, place: Literal[0, 1, 2]) -> str | None:
        """The first value of one of the parser's answers that is not null."""
        return next((agent[place] for agent in self.agents if agent[place]), None)

    @cached_property
    def traffic_type(self) -> str:
        """Who made it: bot, internal, suspect or human."""
        if any(is_bot for *_, is_bot in self.agents):
            return "bot"
        if any(is_internal(event, self.settings) for event in self.events):
            return "internal"
        # More than 60 a minute are more than one a second.
        is_fast = len(self.events) * 10**6 > self.session.duration // MICROSECOND
        return "suspect" if len(self.events) >= SUSPECT_EVENT_COUNT and is_fast else "human"


def is_internal(event: Event, settings: Settings) -> bool:
    """Whether a pattern of internal traffic is found in its column; columns that are not modelled are null."""
    values = [(getattr(event, column, None), pattern) for column, pattern in settings.seeds.internal_traffic]
    return any(value is not None and re.search(pattern, str(value), re.IGNORECASE) for value, pattern in values)


def last_non_direct(visits: Sequence[Visit], visit: Visit) -> Visit | None:
    """Of a visitor's visits the newest with a touch that is not direct, begun in the lookback up to this one's start."""
    since = visit.session.start - timedelta(days=visit.settings.attribution_lookback_days)
    fitting = [
        other for other in visits if since <= other.session.start <= visit.session.start and not other.touch.is_direct
    ]
    return fitting[-1] if fitting else None
