"""Raw rows with all that the analytics tables read, and random ones: referrers, campaigns, click ids, user agents, conversions."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pyarrow as pa

from tests.integration.thin_driver import ThinDriver

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.2 "
    "Mobile/15E148 Safari/604.1"
)
# A property may have any name.
AMOUNT = 'value, "net" of a/b~c'
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
TEXTS = {
    "context_page_url": "url", "context_page_referrer": "referrer", "context_page_title": "title", "context_page_path": "path",
    "context_page_search": "search", "context_campaign_source": "utm_source", "context_campaign_medium": "utm_medium",
    "context_campaign_name": "utm_campaign", "context_location_country": "country", "context_device_type": "device",
    "context_os_name": "os", "context_user_agent": "user_agent",
}  # fmt: skip


@dataclass(frozen=True)
class Visit:
    """One raw row of rudderstack's tracks or pages."""

    id: str
    timestamp: datetime
    anonymous_id: str | None = "a"
    user_id: str | None = None
    table: str = "pages"
    event: str | None = None
    url: str | None = None
    referrer: str | None = None
    title: str | None = None
    path: str | None = None
    search: str | None = None
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    country: str | None = None
    device: str | None = None
    os: str | None = None
    user_agent: str | None = None
    properties: str = "{}"


def land_visits(driver: ThinDriver, visits: list[Visit]) -> None:
    """Make the raw tables hold exactly these rows."""
    driver.land([])
    with driver.warehouse.connect() as connection, connection.transaction():
        for table, name in (("tracks", "event"), ("pages", "name")):
            rows = [_raw(visit, name) for visit in visits if visit.table == table]
            if rows:
                connection.register("incoming", pa.Table.from_pylist(rows, _schema(name)))
                connection.execute(f"insert into raw.rudderstack_{table} by name select * from incoming")


def _raw(visit: Visit, name: str) -> dict[str, Any]:
    ids = {column: getattr(visit, column) for column in ("id", "anonymous_id", "user_id", "timestamp", "properties")}
    return {**ids, name: visit.event, **{column: getattr(visit, field) for column, field in TEXTS.items()}}


def _schema(name: str) -> pa.Schema:
    texts = [(column, pa.string()) for column in ("id", "anonymous_id", "user_id", name, "properties", *TEXTS)]
    return pa.schema([*texts, ("timestamp", pa.timestamp("us"))])


URLS = (
    None, "https://www.shop.example/", "https://shop.example/p?a=1", "https://shop.example/p?utm_source=news&utm_medium=email",
    "https://shop.example/?utm_source=a%20b&utm_campaign=%C3%A4+1&gclid=1", "https://shop.example/?gclid=&fbclid=x",
    "https://shop.example/?msclkid=1#top", "http://localhost:8080/", "app://screen/1?utm_medium=push",
)  # fmt: skip
REFERRERS = (
    None, None, None, "https://www.google.de/search?q=x", "https://l.facebook.com/l.php", "https://shop.example/p", "https://www.paypal.com/",
    "https://chatgpt.com/", "https://blog.example/a", "android-app://com.google.android.gm", "https://mail.google.com/",
)  # fmt: skip
AGENTS = (None, CHROME, CHROME, IPHONE, IPHONE, GOOGLEBOT, "", "curl/8.4.0")
START = datetime(2024, 3, 10)


def random_visits(rng: Random, days: int, people: int = 4, count: int = 70) -> list[Visit]:
    """Visits that come in clusters around the session gap and midnight, of devices with few logins."""
    visits: list[Visit] = []
    at = {person: START + timedelta(minutes=rng.randint(0, 600)) for person in range(people)}
    gaps = [timedelta(seconds=seconds) for seconds in (0, 5, 61, 1799, 1800, 1801, 5000, 20000, 50000)]
    for number in range(count):
        person = rng.randrange(people)
        at[person] += rng.choice(gaps)
        if at[person] >= START + timedelta(days=days):
            at[person] = START + timedelta(minutes=rng.randint(0, 24 * 60 * days - 1))
        visits.append(random_visit(rng, f"e{number:03}", at[person], person))
    return visits


def random_visit(rng: Random, name: str, at: datetime, person: int) -> Visit:
    """One row of a device; one in six is logged in."""
    is_page = rng.random() < 0.6
    return Visit(
        name,
        at,
        anonymous_id=f"d{person}",
        user_id=rng.choice(("u0", "u1", None, None, None, None, None, None, None, None)),
        table="pages" if is_page else "tracks",
        event=rng.choice(("home", None)) if is_page else rng.choice(("purchase", "signup", "click")),
        url=rng.choice(URLS),
        referrer=rng.choice(REFERRERS),
        title=rng.choice(("Home", None)),
        utm_source=rng.choice((None, None, None, None, None, "newsletter")),
        utm_medium=rng.choice((None, None, None, None, None, "social")),
        country=rng.choice(("DE", None)),
        device=rng.choice((None, None, "kiosk")),
        user_agent=rng.choice(AGENTS),
        properties=json.dumps({AMOUNT: rng.choice((1, "2.5", "x", None, 0.1, "0.0000005"))}),
    )


def changed(rng: Random, visits: list[Visit], days: int) -> list[Visit]:
    """The same rows after some were deleted, corrected and added late."""
    kept = [visit for visit in visits if rng.random() > 0.06]
    kept = [
        replace(random_visit(rng, visit.id, visit.timestamp, int(str(visit.anonymous_id)[1:])))
        if rng.random() < 0.06
        else visit
        for visit in kept
    ]
    late = [
        random_visit(
            rng, f"l{rng.randrange(10**9)}", START + timedelta(seconds=rng.randrange(days * 86400)), rng.randrange(4)
        )
        for _ in range(rng.randrange(6))
    ]
    return kept + late
