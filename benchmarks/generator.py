"""Made events as RudderStack delivers them: one parquet file per day and table. The same settings give the same bytes.

Few visitors make many events (Zipf), each on several devices that they replace after weeks or months. Some have an account: a session of
theirs is without it, with it from the start, or logs in on the way. Some devices are shared by several people. Sessions run over midnight
into the next day's files. A few events arrive twice.

One day is held in memory, whatever the number of days.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks.columns import Numbers, moments, names, user_names, uuids

FIRST_DAY = date(2023, 1, 1)
MICROSECONDS = 1_000_000
DAY = 24 * 3600 * MICROSECONDS
TIMEOUT = 1800 * MICROSECONDS
EVENTS_PER_SESSION = 8
DEVICES = 3
TRACK, PAGE, IDENTIFY = 0, 1, 2
TABLES = {TRACK: "tracks", PAGE: "pages", IDENTIFY: "identifies"}
EVENT_NAMES = (
    "viewed_product", "added_to_cart", "searched", "clicked", "scrolled", "viewed_cart", "started_checkout", "paid", "signup",
    "shared", "rated", "subscribed", "filtered", "sorted", "played_video", "downloaded",
)  # fmt: skip
PAGE_NAMES = ("home", "product", "category", "search", "cart", "checkout", "account", "help")
REFERRERS = (None, None, "https://search.example/", "https://social.example/", "https://news.example/")
COUNTRIES = ("DE", "US", "FR", "GB", "PL", "IT", "ES", "NL", "SE", "JP")
SYSTEMS = ("Android", "iOS", "Windows", "macOS", "Linux")
KINDS_OF_DEVICE = ("mobile", "desktop", "tablet")


@dataclass(frozen=True)
class Settings:
    """What is made.

    Attributes:
        events: about how many, over all days.
        days: how many, from FIRST_DAY on.
        seed: of all that is drawn.
    """

    events: int
    days: int
    seed: int = 1

    @property
    def people(self) -> int:
        """As many as there are events in a day: on one of 200,000 events, some 18,000 of 200,000 people come."""
        return max(20, self.events // self.days)

    def day(self, index: int) -> date:
        """The index-th day."""
        return FIRST_DAY + timedelta(days=index)


@dataclass
class Events:
    """Events as columns of numbers."""

    at: Numbers
    kind: NDArray[np.int8]
    device: Numbers
    user: Numbers
    person: Numbers
    name: NDArray[np.int16]

    def take(self, rows: NDArray[np.bool_] | Numbers) -> Events:
        """The events at these rows."""
        return Events(*(column[rows] for column in vars(self).values()))

    @staticmethod
    def join(parts: list[Events]) -> Events:
        """All events of the parts, one after the other."""
        return Events(
            *(np.concatenate(columns) for columns in zip(*(vars(part).values() for part in parts), strict=True))
        )


def generate(settings: Settings, landing: Path) -> list[date]:
    """Write the files of every day below landing/rudderstack/; return the days."""
    odds = np.cumsum(np.arange(1, settings.people + 1) ** -0.7)
    carried: Events | None = None
    first_id = 0
    for index in range(settings.days):
        # Each day has a generator of its own: a day is the same however many follow it.
        rng = np.random.default_rng([settings.seed, index])
        made = _day_of_events(settings, index, rng, odds / odds[-1])
        events = made if carried is None else Events.join([carried, made])
        is_later = events.at >= _midnight(settings.day(index + 1))
        carried, today = events.take(is_later), events.take(~is_later)
        today = today.take(np.argsort(today.at, kind="stable"))
        _write_day(settings, index, rng, today, first_id, landing)
        first_id += len(today.at)
    return [settings.day(index) for index in range(settings.days)]


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * MICROSECONDS


def _day_of_events(settings: Settings, index: int, rng: np.random.Generator, odds: NDArray[np.float64]) -> Events:
    """The events of all sessions that begin on the day."""
    rhythm = (1.1, 1.05, 1.05, 1.0, 1.0, 0.9, 0.9)[settings.day(index).weekday()]
    sessions = max(1, round(settings.events / settings.days / EVENTS_PER_SESSION * rhythm))
    person = np.searchsorted(odds, rng.random(sessions)).astype(np.int64)
    length = np.minimum(rng.geometric(1 / EVENTS_PER_SESSION, sessions), 200)
    # Two thirds of a day's sessions begin around its evening, so that a good part of them runs over midnight.
    hour = np.where(rng.random(sessions) < 0.3, rng.random(sessions) * 24, rng.normal(19, 4, sessions) % 24)
    began = _midnight(settings.day(index)) + (hour * 3600 * MICROSECONDS).astype(np.int64)

    of = np.repeat(np.arange(sessions), length)
    is_first = np.concatenate([[True], of[1:] != of[:-1]])
    place = np.arange(len(of)) - np.repeat(np.flatnonzero(is_first), length)
    gap = np.minimum((rng.exponential(75, len(of)) * MICROSECONDS).astype(np.int64), TIMEOUT)
    # Exactly the timeout, which continues a session, and a microsecond more, which does not.
    gap[rng.random(len(of)) < 0.001] = TIMEOUT
    gap[rng.random(len(of)) < 0.001] = TIMEOUT + 1
    gap[is_first] = 0
    passed = np.cumsum(gap)
    at = began[of] + passed - passed[is_first][of]

    # -1: never in this session, 0: from the start.
    login = np.where(_has_account(person), rng.choice([-1, 0, 2], sessions, p=[0.5, 0.35, 0.15]), -1)
    kind = np.where(place == 0, PAGE, np.where(rng.random(len(of)) < 0.55, TRACK, PAGE)).astype(np.int8)
    kind[(place == login[of]) & (place > 0)] = IDENTIFY
    user = np.where((login[of] >= 0) & (place >= login[of]), person[of], -1)
    device = _devices(settings, index, rng, person)
    name = np.minimum(rng.geometric(0.3, len(of)) - 1, len(EVENT_NAMES) - 1).astype(np.int16)
    return Events(at, kind, device[of], user, person[of], name)


def _has_account(person: Numbers) -> NDArray[np.bool_]:
    return person % 5 < 3


def _devices(settings: Settings, index: int, rng: np.random.Generator, person: Numbers) -> Numbers:
    """A device for each session: one of the person's own, as it is called at that time, or a shared one."""
    own = np.minimum(rng.choice(DEVICES, len(person), p=[0.75, 0.2, 0.05]), person % DEVICES)
    # People get a new device, or lose their cookies, every 14 to 200 days.
    lifetime = 14 + (person * 7919 + own * 104_729) % 187
    generation = (index + person * 31 % 200) // lifetime
    device = (person * DEVICES + own) * 1000 + generation
    shared = max(1, settings.people // 200)
    # A shared device has its own crowd, and is reset every month.
    kiosk = -1 - (person % shared * 1000 + (index + person % shared) // 30)
    return np.where(rng.random(len(person)) < 0.005, kiosk, device)


def _write_day(
    settings: Settings, index: int, rng: np.random.Generator, events: Events, first_id: int, landing: Path
) -> None:
    rows = np.arange(len(events.at))
    # A tracker that got no answer sends an event again, seconds later.
    again = rows[rng.random(len(rows)) < 0.001]
    delay = rng.integers(0, 5 * MICROSECONDS, len(rows))
    received = np.concatenate([events.at + delay, (events.at + delay)[again] + 7 * MICROSECONDS])
    rows = np.concatenate([rows, again])
    for kind, table in TABLES.items():
        chosen = events.kind[rows] == kind
        columns = _columns(settings, kind, events.take(rows[chosen]), first_id + rows[chosen], received[chosen])
        folder = landing / "rudderstack" / table
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns), folder / f"{settings.day(index)}.parquet", compression="zstd", version="2.6")


def _columns(settings: Settings, kind: int, events: Events, ids: Numbers, received: Numbers) -> dict[str, pa.Array]:
    """The raw table's columns."""
    page = (events.person + events.name) % len(PAGE_NAMES)
    columns = {
        "id": uuids(ids, settings.seed * 1_000_003),
        "anonymous_id": uuids(events.device, settings.seed * 1_000_003 + 500),
        "user_id": user_names(events.user),
        "timestamp": moments(events.at),
        "received_at": moments(received),
        "context_page_url": names(page, [f"https://shop.example/{name}" for name in PAGE_NAMES]),
        "context_page_path": names(page, [f"/{name}" for name in PAGE_NAMES]),
        "context_page_referrer": names(events.person % len(REFERRERS), REFERRERS),
        "context_location_country": names(events.person % len(COUNTRIES), COUNTRIES),
        "context_os_name": names(events.device % len(SYSTEMS), SYSTEMS),
        "context_device_type": names(events.device % len(KINDS_OF_DEVICE), KINDS_OF_DEVICE),
    }
    if kind == TRACK:
        columns["event"] = names(events.name, EVENT_NAMES)
        columns["product"] = names(page, [f"p{place}" for place in range(len(PAGE_NAMES))])
    elif kind == PAGE:
        columns["name"] = names(page, PAGE_NAMES)
    return columns


def main() -> None:
    """Write what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("landing", type=Path)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    generate(Settings(arguments.events, arguments.days, arguments.seed), arguments.landing)


if __name__ == "__main__":
    main()
