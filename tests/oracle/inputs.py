"""The vocabulary of the model: settings, a raw row of one of the sources, an accepted event. No rules."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from .seeds import Seeds

VENDOR_TABLES = ("tracks", "pages", "screens", "identifies", "aliases")
TABLES = {
    "rudderstack": VENDOR_TABLES,
    "segment": VENDOR_TABLES,
    "mixpanel": ("events",),
    "measure_js": ("events",),
}
EVENT_TYPES = ("track", "page", "screen", "identify", "alias")
FUNNEL = (
    (1, "view product", "product_view"),
    (1, "view product", "viewed_product"),
    (2, "add to cart", "add_to_cart"),
    (3, "check out", "shipping_details"),
    (4, "purchase", "purchase"),
)
# (browser, os, device type, whether it is a bot)
UserAgent = tuple[str | None, str | None, str | None, bool]


def parse_user_agent(user_agent: str) -> UserAgent:
    """A parser that knows a handful of words: enough to test the tables' rules, not the project's own."""
    words = user_agent.lower()
    if "bot" in words:
        return None, None, "bot", True
    browser = next((name for name in ("Firefox", "Chrome", "Safari") if name.lower() in words), None)
    systems = {"iphone": "iOS", "android": "Android", "windows": "Windows", "linux": "Linux"}
    system = next((name for word, name in systems.items() if word in words), None)
    return browser, system, "mobile" if system in ("iOS", "Android") else system and "desktop", False


@dataclass(frozen=True)
class Settings:
    """The settings of the contract that the modelled tables depend on; a funnel is (stage number, name, event) rows.

    The analytics tables are made where `analytics` says so, and only they depend on the settings after it.
    """

    session_timeout_seconds: int = 1800
    session_event_types: tuple[str, ...] = ("track", "page", "screen")
    identity_policy: str = "latest_user"
    max_users_per_alias: int = 5
    blocked_ids: tuple[str, ...] = ()
    flow_length: int = 5
    counted_events: Mapping[str, str] = field(
        default_factory=lambda: {"cnt_viewed_product": "viewed_product", "cnt_signup": "signup"}
    )
    timezone: str = "UTC"
    sources: tuple[str, ...] = ("rudderstack",)
    segment_user_traits: tuple[str, ...] = ("email", "name", "plan")
    segment_page_fields: tuple[str, ...] = ("url", "referrer", "title", "path", "search")
    segment_track_fields: tuple[str, ...] = ("url", "path")
    funnel: tuple[tuple[int, str, str], ...] = FUNNEL
    analytics: bool = False
    own_domains: tuple[str, ...] = ()
    engaged_session_seconds: int = 10
    engaged_gap_seconds: int = 60
    attribution_lookback_days: int = 30
    returning_days: int = 28
    seeds: Seeds = field(default=Seeds(), repr=False)
    parse_user_agent: Callable[[str], UserAgent] = field(default=parse_user_agent, repr=False)

    def __post_init__(self) -> None:
        """Refuse a policy or source that does not exist, an invalid funnel, and a lookback that is too long to weigh."""
        if self.identity_policy not in ("latest_user", "first_user", "merge"):
            raise ValueError(f"identity_policy {self.identity_policy!r}: latest_user, first_user or merge")
        unknown = [source for source in self.sources if source not in TABLES]
        if unknown or not self.sources or len(set(self.sources)) < len(self.sources):
            raise ValueError(f"sources {self.sources!r}: some of {', '.join(TABLES)}, each once")
        stages = {number: name for number, name, _ in self.funnel}
        one_name_each = len({(number, name) for number, name, _ in self.funnel}) == len(stages)
        one_stage_each = len({event for _, _, event in self.funnel}) == len(self.funnel)
        if sorted(stages) != list(range(1, len(stages) + 1)) or not one_name_each or not one_stage_each:
            raise ValueError(f"funnel {self.funnel!r}: stages 1, 2, ... of one name each, an event in one stage only")


@dataclass(frozen=True)
class RawRow:
    """One row as the vendor delivered it, under the names that core.events gives to its columns.

    `event` is `name` in pages and screens, `url` for `context_page_url` in tracks and identifies, and so on. Of mixpanel
    `anonymous_id` is the distinct_id, `device_id` and `sequence` (the processing time) are its own columns.
    `timestamp` and `received_at` are naive UTC. `traits` are the columns that the contract does not name, as
    (column, value): the traits of an identify, the properties of other rows, where a value may be a number.
    """

    table: str
    id: str | None
    anonymous_id: str | None = None
    user_id: str | None = None
    previous_id: str | None = None
    timestamp: datetime | None = None
    received_at: datetime | None = None
    event: str | None = None
    url: str | None = None
    source: str = "rudderstack"
    path: str | None = None
    title: str | None = None
    referrer: str | None = None
    search: str | None = None
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    utm_content: str | None = None
    utm_term: str | None = None
    country: str | None = None
    device: str | None = None
    os: str | None = None
    user_agent: str | None = None
    device_id: str | None = None
    sequence: int | None = None
    traits: tuple[tuple[str, str | int | float], ...] = ()

    def __post_init__(self) -> None:
        """Refuse a source that does not exist and a table that its source does not have."""
        if self.source not in TABLES:
            raise ValueError(f"source {self.source!r}: one of {', '.join(TABLES)}")
        if self.table not in TABLES[self.source]:
            raise ValueError(f"table {self.table!r}: one of {', '.join(TABLES[self.source])}")

    @property
    def instant(self) -> datetime:
        """The timestamp of a row that has one."""
        assert self.timestamp is not None
        return self.timestamp

    @property
    def event_type(self) -> str:
        """The kind of event of the row."""
        if self.table == "events":
            return "page" if self.source == "measure_js" and self.event == "pageview" else "track"
        return EVENT_TYPES[VENDOR_TABLES.index(self.table)]


@dataclass(frozen=True, slots=True)
class Event:
    """One accepted event; the fields but the last are the modelled columns of core.events, in order."""

    event_id: str
    source: str
    event_type: str
    event: str | None
    anonymous_id: str | None
    user_id: str | None
    previous_id: str | None
    timestamp: datetime
    event_date: date
    received_at: datetime | None
    url: str | None
    path: str | None
    title: str | None
    referrer: str | None
    search: str | None
    utm_source: str | None
    utm_medium: str | None
    utm_campaign: str | None
    utm_content: str | None
    utm_term: str | None
    country: str | None
    device: str | None
    os: str | None
    user_agent: str | None
    event_sequence: int
    properties: tuple[tuple[str, str | int | float], ...]

    @property
    def order(self) -> tuple[datetime, int, str]:
        """The order of events everywhere, but for which login is the newest."""
        return self.timestamp, self.event_sequence, self.event_id

    @property
    def login_order(self) -> tuple[datetime, str]:
        """The order of logins, by which a device goes to its newest or oldest user."""
        return self.timestamp, self.event_id
