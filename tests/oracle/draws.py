"""Random settings, and random values of the columns that are not ids or times. No order, no owners."""

from dataclasses import replace
from random import Random
from typing import Any, TypeVar

from .campaigns import OWN_DOMAIN, random_value, random_visit
from .inputs import RawRow, Settings
from .intake import optional_columns
from .seeds import Seeds

T = TypeVar("T")

EVENTS = ("viewed_product", "signup", "home", "Home", "login", "add_to_cart", None)
# Values by column; None is always among them, and often.
VALUES = {
    "url": ("https://shop.example/", "https://shop.example/cart?x=1,2", None),
    "path": ("/", "/cart", None),
    "title": ("Shop", 'A "cart"', None),
    "referrer": ("https://search.example/?q=a", None, None),
    "search": ("?x=1,2", None),
    "country": ("DE", "US", None, None),
    "device": ("mobile", "desktop", None, None),
    "os": ("iOS", "Linux", None, None),
}
TRAITS = {
    "email": ("a@shop.example", "b@shop.example", ""),
    "name": ("Ada", "Bo ß", "None"),
    "plan": ("free", "paid", ""),
    "city": ("Köln", "New York, NY", ""),
}
# Columns that only histories for the analytics tables have values of.
ONLY_FOR_ANALYTICS = {"tracks": {"search"}, "mixpanel": {"url", "referrer"}}
# A property that the pages and tracks of some histories carry.
SECTIONS = ("men", "women's")


def weighted(rng: Random, weights: dict[T, int]) -> T:
    """One of the keys, by weight."""
    return rng.choices(list(weights), list(weights.values()))[0]


def random_sources(rng: Random) -> tuple[str, ...]:
    """One source, mostly RudderStack, or several, of which the first keeps its event ids."""
    return weighted(
        rng,
        {
            ("rudderstack",): 5,
            ("segment",): 1,
            ("mixpanel",): 1,
            ("measure_js",): 1,
            ("rudderstack", "segment", "mixpanel", "measure_js"): 2,
            ("measure_js", "mixpanel", "segment", "rudderstack"): 1,
            ("mixpanel", "rudderstack"): 1,
            ("segment", "measure_js"): 1,
        },
    )


# Columns of all kinds, a property, and names that the records have anyway.
OTHER_PAGE_FIELDS = ("path", "section", "country", "name", "event_id", "received_at", "user_id", "event_date")


def random_settings(rng: Random, seeds: Seeds | None = None) -> Settings:
    """Settings; the defaults are the likeliest, except that every policy gets its share. With seeds, for the analytics tables too."""
    usual = Settings()
    drawn = Settings(
        session_timeout_seconds=weighted(rng, {1800: 14, 60: 2, 3600: 2, 1: 1, 86400: 2}),
        identity_policy=weighted(rng, {"latest_user": 3, "first_user": 2, "merge": 4}),
        max_users_per_alias=weighted(rng, {5: 2, 2: 3}),
        blocked_ids=weighted(rng, {(): 6, ("n/a",): 2, ("n/a", "d1", "u2"): 1}),
        timezone=weighted(rng, {"UTC": 5, "America/New_York": 3, "Asia/Kolkata": 2}),
        sources=random_sources(rng),
        segment_user_traits=weighted(rng, {usual.segment_user_traits: 5, ("plan", "city"): 1}),
        segment_page_fields=weighted(rng, {usual.segment_page_fields: 5, OTHER_PAGE_FIELDS: 2}),
        segment_track_fields=weighted(rng, {usual.segment_track_fields: 5, ("section", "os", "event", "user_id"): 1}),
    )
    if seeds is None:
        return drawn
    return replace(
        drawn,
        analytics=True,
        seeds=seeds,
        own_domains=weighted(rng, {(OWN_DOMAIN,): 2, (): 1}),
        engaged_session_seconds=weighted(rng, {10: 3, 60: 1, 0: 1}),
        engaged_gap_seconds=weighted(rng, {60: 3, 5: 1, 3600: 1}),
        attribution_lookback_days=weighted(rng, {30: 2, 1: 2, 2: 2}),
        returning_days=weighted(rng, {28: 2, 1: 2, 2: 1}),
    )


def padded(rng: Random, identifier: str | None) -> str | None:
    """An id as it is, or now and then with a blank beside it."""
    return identifier if identifier is None or rng.random() < 0.96 else rng.choice((f" {identifier}", f"{identifier} "))


def mixpanel_ids(rng: Random, device: str | None, user: str | None) -> dict[str, str | None]:
    """A device and a user as one of Mixpanel's clients writes them: distinct_id is either of them, or nothing knows a device_id."""
    marked = device and rng.choice((device, f"$device:{device}"))
    kind = weighted(rng, {"no device_id": 3, "device_id": 4, "user in distinct_id alone": 2, "marked distinct_id": 1})
    if device is None or kind == "no device_id":
        return {"anonymous_id": device, "user_id": user}
    if kind == "marked distinct_id":
        return {"anonymous_id": f"$device:{device}", "user_id": user}
    known_user = user if kind == "device_id" else None
    return {"anonymous_id": user or f"$device:{device}", "user_id": known_user, "device_id": marked}


def random_event(rng: Random, source: str, table: str, settings: Settings) -> str | None:
    """An event's name, where the table has one; two in five of measure_js are page views."""
    if table in ("identifies", "aliases"):
        return None
    if settings.analytics and settings.seeds.conversions and rng.random() < 0.2:
        return rng.choice(settings.seeds.conversions)[1]
    return "pageview" if source == "measure_js" and rng.random() < 0.4 else rng.choice(EVENTS)


def random_traits(rng: Random, table: str, settings: Settings) -> tuple[tuple[str, str], ...]:
    """The columns that the contract does not name: some traits of an identify, a property elsewhere if it is asked for."""
    if table == "identifies":
        return tuple((name, rng.choice(texts)) for name, texts in TRAITS.items() if rng.random() < 0.5)
    asked_for = "section" in (*settings.segment_page_fields, *settings.segment_track_fields)
    if table in ("tracks", "pages", "screens") and asked_for and rng.random() < 0.6:
        return (("section", rng.choice(SECTIONS)),)
    return ()


def random_attributes(rng: Random, source: str, table: str, settings: Settings) -> dict[str, Any]:
    """Values for all other optional columns of the table."""
    present = optional_columns(source, table)
    absent = ONLY_FOR_ANALYTICS.get(source if table == "events" else table, set())
    values = {name: rng.choice(texts) for name, texts in VALUES.items() if name in present - absent}
    drawn: dict[str, Any] = {**values, "traits": random_traits(rng, table, settings)}
    if settings.analytics:
        drawn |= {name: value for name, value in random_visit(rng, settings.seeds).items() if name in present}
        drawn["device"], drawn["os"] = ((drawn[name] if rng.random() < 0.3 else None) for name in ("device", "os"))
        drawn["traits"] += random_value(rng, settings.seeds) if table not in ("identifies", "aliases") else ()
    return drawn


def other_attribute(rng: Random, row: RawRow, settings: Settings) -> dict[str, Any]:
    """Another value for one attribute of a row, possibly the same again."""
    drawn = random_attributes(rng, row.source, row.table, settings)
    if row.table == "identifies" and rng.random() < 0.7:
        return {"traits": drawn["traits"]}
    name = rng.choice([name for name in drawn if name != "traits"])
    return {name: drawn[name]}
