"""The vocabulary of the model: settings, a raw RudderStack row, an accepted event. No rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

EVENT_TYPES = {
    "tracks": "track",
    "pages": "page",
    "screens": "screen",
    "identifies": "identify",
    "aliases": "alias",
}


@dataclass(frozen=True)
class Settings:
    """The settings of the contract that the modelled tables depend on."""

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

    def __post_init__(self) -> None:
        """Refuse a policy that does not exist."""
        if self.identity_policy not in ("latest_user", "first_user", "merge"):
            raise ValueError(f"identity_policy {self.identity_policy!r}: latest_user, first_user or merge")


@dataclass(frozen=True)
class RawRow:
    """One row as the vendor delivered it.

    `event` stands for `name` in pages and screens, `url` for `context_page_url` in tracks.
    `timestamp` and `received_at` are naive UTC.
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

    def __post_init__(self) -> None:
        """Refuse a table that RudderStack does not have."""
        if self.table not in EVENT_TYPES:
            raise ValueError(f"table {self.table!r}: one of {', '.join(EVENT_TYPES)}")


@dataclass(frozen=True, slots=True)
class Event:
    """One accepted event; the fields are the modelled columns of core.events, in order."""

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

    @property
    def order(self) -> tuple[datetime, str]:
        """The order of events everywhere."""
        return self.timestamp, self.event_id
