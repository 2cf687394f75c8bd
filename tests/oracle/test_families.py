"""The model of the other sources and of the mixpanel, segment, measure_js and funnel tables against results by hand."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from .analytics import ANALYTICS_KEYS
from .compare import difference
from .inputs import TABLES
from .model import KEYS, RawRow, Settings, columns, tables
from .test_oracle import WHOLE_EXAMPLE

DAY_ONE, DAY_TWO = date(2024, 3, 10), date(2024, 3, 11)
TEN = datetime(2024, 3, 10, 10)
MIDNIGHT = datetime(2024, 3, 11)
MICRO, MINUTE, HALF_HOUR = timedelta(microseconds=1), timedelta(minutes=1), timedelta(minutes=30)
ALL_SOURCES = tuple(TABLES)


def track(
    id: str | None,
    anonymous_id: str | None = None,
    user_id: str | None = None,
    at: datetime | None = TEN,
    event: str | None = None,
    **more: Any,
) -> RawRow:
    """A track, at ten unless said otherwise."""
    return RawRow("tracks", id, anonymous_id, user_id, None, at, event=event, **more)


def page(id: str | None, anonymous_id: str | None = None, at: datetime | None = TEN, **more: Any) -> RawRow:
    """A page view, at ten unless said otherwise."""
    return RawRow("pages", id, anonymous_id, timestamp=at, **more)


def identify(
    id: str | None,
    anonymous_id: str | None = None,
    user_id: str | None = None,
    at: datetime | None = TEN,
    **traits: Any,
) -> RawRow:
    """An identify with traits."""
    return RawRow("identifies", id, anonymous_id, user_id, timestamp=at, traits=tuple(traits.items()))


def other(
    source: str,
    id: str | None,
    anonymous_id: str | None = None,
    user_id: str | None = None,
    at: datetime | None = TEN,
    **more: Any,
) -> RawRow:
    """An event of mixpanel or measure_js."""
    return RawRow("events", id, anonymous_id, user_id, None, at, source=source, **more)


def run(*rows: RawRow, first: date = DAY_ONE, last: date = DAY_TWO, **settings: Any) -> dict[str, list[dict[str, Any]]]:
    """The tables of two days."""
    return tables(rows, Settings(**settings), first, last)


def values(rows: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    """Some columns of a table, in order."""
    return sorted((tuple(row[name] for name in names) for row in rows), key=str)


# Sources.


def test_the_first_source_keeps_its_event_ids() -> None:
    """The same id in two sources is two events, in the order of the ids that they get."""
    rows = [track("e", "a"), other("mixpanel", "e", "a"), track("e", "b", source="segment")]
    for sources, ids in (
        (("rudderstack", "mixpanel", "segment"), ["e", "mixpanel:e", "segment:e"]),
        (("segment", "rudderstack", "mixpanel"), ["e", "mixpanel:e", "rudderstack:e"]),
        (("mixpanel",), ["e"]),
    ):
        found = run(*rows, sources=sources)
        assert [event["event_id"] for event in found["core.events"]] == ids
        assert found["core.rejected_events"] == []
    assert run(*rows[1:])["core.events"] == []


def test_rejected_rows_show_the_id_they_would_have_had() -> None:
    """A missing id stays missing, and duplicates are those of one source."""
    found = run(
        other("mixpanel", "", "a"),
        other("mixpanel", "x"),
        other("mixpanel", "y", "a"),
        other("mixpanel", "y", "a", at=TEN + MICRO),
        track("y", "a"),
        sources=("rudderstack", "mixpanel"),
    )
    assert values(found["core.rejected_events"], "event_id", "source", "reason") == [
        ("mixpanel:x", "mixpanel", "no_identity"),
        ("mixpanel:y", "mixpanel", "duplicate_event_id"),
        (None, "mixpanel", "no_event_id"),
    ]


def test_columns_of_the_event_tables() -> None:
    """Neither has a receipt, nor more of a page than its address and referrer; campaigns are mixpanel's, user agents measure_js's."""
    values_of_all: dict[str, Any] = {
        "event": "pageview", "received_at": TEN - 9 * timedelta(days=1), "previous_id": "p", "url": "/u", "path": "/p", "title": "t",
        "referrer": "r", "search": "s", "country": "DE", "device": "mobile", "os": "iOS", "utm_term": "shoes", "user_agent": "Firefox",
    }  # fmt: skip
    names = ("event_type", *values_of_all)
    rows = [
        RawRow("events", "e", "a", timestamp=TEN, source=each, **values_of_all) for each in ("mixpanel", "measure_js")
    ]
    first, second = run(*rows, sources=("mixpanel", "measure_js"))["core.events"]
    tail = ("DE", "mobile", "iOS")
    page = (None, None, "/u", None, None, "r", None)
    assert tuple(first[name] for name in names) == ("track", "pageview", *page, *tail, "shoes", None)
    assert tuple(second[name] for name in names) == ("page", "pageview", *page, *tail, None, "Firefox")


def test_a_measure_js_row_without_an_id_is_not_modelled() -> None:
    """What id it gets is the implementation's own affair."""
    with pytest.raises(ValueError, match="not modelled"):
        run(other("measure_js", None, "a"), sources=("measure_js",))


def test_sources_share_visitors_and_sessions() -> None:
    """A login in one source counts in all."""
    rows = track("e1", "d"), other("mixpanel", "e2", "d", "u", TEN + MINUTE)
    found = run(*rows, sources=ALL_SOURCES)["rudderstack.dbt_track_facts"]
    assert values(found, "event_id", "session_id") == [("e1", "1 - u"), ("mixpanel:e2", "1 - u")]


# All tables of the families, worked out by hand.

START, VIEW = datetime(2024, 3, 10, 23, 50), datetime(2024, 3, 10, 23, 59, 30)
CART, NOON = datetime(2024, 3, 11, 0, 10, 0, 500_000), datetime(2024, 3, 11, 12)
IDENTIFIED = datetime(2024, 3, 11, 0, 11)
FAMILY_ROWS = (
    RawRow("screens", "s5", "x", timestamp=NOON, event="Menu", os="iOS"),
    identify("i4", "d", "u", IDENTIFIED, email="a@shop.example", plan="free", city="Köln"),
    track("t3", "d", None, CART, "add_to_cart", url="/cart"),
    other("measure_js", "p1", "d", "u", VIEW, event="product_view", country="DE"),
    page("p1", "d", START, event="Home", url="/", path="/", title="Shop", device="mobile"),
)
NO_PAGE = {name: None for name in ("url", "referrer", "title", "path", "search")}
HOME = {**NO_PAGE, "url": "/", "title": "Shop", "path": "/"}
FAMILY_EXAMPLE: dict[str, list[tuple[Any, ...]]] = {
    "mixpanel.dim__sessions": [
        ("u", 1, DAY_ONE, DAY_ONE, START, VIEW, 570.0, "DE", "mobile", None),
        ("u", 2, DAY_TWO, DAY_TWO, CART, CART, 0.0, None, None, None),
        ("x", 1, DAY_TWO, DAY_TWO, NOON, NOON, 0.0, None, None, "iOS"),
    ],
    "mixpanel.fact__users_journey": [
        ("u", 1, "p1", "Home", START, DAY_ONE, 1, None),
        ("u", 1, "measure_js:p1", "product_view", VIEW, DAY_ONE, 2, 570.0),
        ("u", 2, "t3", "add_to_cart", CART, DAY_TWO, 1, None),
        ("x", 1, "s5", "Menu", NOON, DAY_TWO, 1, None),
    ],
    "segment.segment_sessions": [
        (
            "1 - u", 1, "u", START, CART,
            {"total_tracks": 2, "total_pages": 1, "total_screens": 0, "duration_millis": 1_200_500},
            {f"first_{name}": value for name, value in HOME.items()},
            {f"last_{name}": value for name, value in HOME.items()},
            [
                {"timestamp": START, "track": None, "page": {"event_id": "p1", "name": "Home", **HOME}, "screen": None},
                {
                    "timestamp": VIEW,
                    "track": {"event_id": "measure_js:p1", "event": "product_view", "url": None, "path": None},
                    "page": None, "screen": None,
                },
                {
                    "timestamp": CART,
                    "track": {"event_id": "t3", "event": "add_to_cart", "url": "/cart", "path": None},
                    "page": None, "screen": None,
                },
            ],
        ),
        (
            "1 - x", 1, "x", NOON, NOON,
            {"total_tracks": 0, "total_pages": 0, "total_screens": 1, "duration_millis": 0},
            {f"first_{name}": None for name in HOME},
            {f"last_{name}": None for name in HOME},
            [{"timestamp": NOON, "track": None, "page": None, "screen": {"event_id": "s5", "name": "Menu", **NO_PAGE}}],
        ),
    ],
    "segment.segment_users": [
        ("u", IDENTIFIED, "a@shop.example", None, "free"),
        ("x", NOON, None, None, None),
    ],
    "measure_js.event_blocks": [
        (DAY_ONE, 23, datetime(2024, 3, 10, 23), 2),
        (DAY_TWO, 0, MIDNIGHT, 1),
        (DAY_TWO, 12, NOON, 1),
    ],
    "measure_js.events_sessionated": [
        ("p1", "page", "d", None, START, "Home", "/", "/", "Shop", None, None, "mobile", None, 1, 1, "1 - d", 1200.5, DAY_ONE),
        ("measure_js:p1", "track", "d", "u", VIEW, "product_view", None, None, None, None, "DE", None, None,
            0, 1, "1 - d", 1200.5, DAY_ONE),
        ("t3", "track", "d", None, CART, "add_to_cart", "/cart", None, None, None, None, None, None, 0, 1, "1 - d", 1200.5, DAY_TWO),
        ("s5", "screen", "x", None, NOON, "Menu", None, None, None, None, None, None, "iOS", 1, 1, "1 - x", 0.0, DAY_TWO),
    ],
    "measure_js.user_map": [("d", "u", VIEW, VIEW)],
    "measure_js.users": [
        ("d", None, START, CART, 2, 2, 1, 1200.5),
        ("d", "u", VIEW, VIEW, 1, 1, 1, 1200.5),
        ("x", None, NOON, NOON, 1, 1, 1, 0.0),
    ],
    "measure_js.sessions": [
        ("1 - d", "d", "u", START, CART, 1200.5, 1, 3, 2, ["Home", "add_to_cart", "product_view"], DAY_ONE),
        ("1 - x", "x", None, NOON, NOON, 0.0, 0, 1, 0, ["Menu"], DAY_TWO),
    ],
    "measure_js.clients": [("x", NOON, NOON, 1, 1, 1)],
    "measure_js.daily_performance": [
        (DAY_ONE, 1, 1, 1, 2, 1, 1200.5),
        (DAY_TWO, 2, 0, 2, 2, 0, 600.25),
    ],
    "core.funnel_stages": [
        ("u", 1, 1, "view product", "measure_js:p1", "product_view", VIEW, None, DAY_ONE, DAY_ONE),
        ("u", 1, 2, "add to cart", "t3", "add_to_cart", CART, 630.5, DAY_ONE, DAY_TWO),
    ],
    "core.funnel_daily": [
        (DAY_ONE, 1, "view product", 1, 1, None, 1.0),
        (DAY_ONE, 2, "add to cart", 1, 1, 1.0, 1.0),
        (DAY_ONE, 3, "check out", 0, 0, 0.0, 0.0),
        (DAY_ONE, 4, "purchase", 0, 0, None, 0.0),
    ],
}  # fmt: skip


@pytest.mark.parametrize("table", FAMILY_EXAMPLE)
def test_family_example(table: str) -> None:
    """Every column of these tables."""
    names = columns(Settings())[table]
    wanted = [dict(zip(names, row, strict=True)) for row in FAMILY_EXAMPLE[table]]
    actual = run(*FAMILY_ROWS, sources=("rudderstack", "measure_js"))[table]
    assert difference(wanted, actual, KEYS[table]) is None


def test_the_two_examples_are_of_all_tables() -> None:
    """No table is without one."""
    assert set(WHOLE_EXAMPLE) | set(FAMILY_EXAMPLE) == set(KEYS) - set(ANALYTICS_KEYS)


# mixpanel.


def day_sessions(*rows: RawRow, **settings: Any) -> list[tuple[Any, ...]]:
    """(visitor, session number, event id, step, seconds since the previous)."""
    found = run(*rows, **settings)["mixpanel.fact__users_journey"]
    return values(found, "user_id", "session_id", "event_id", "step_number", "seconds_since_previous")


def test_midnight_and_strictly_more_than_the_timeout_split() -> None:
    """Exactly the timeout goes on, an event at midnight is of the new day, and numbers count both kinds of cut."""
    rows = [
        track("e1", "a", at=MIDNIGHT - HALF_HOUR - MICRO),
        track("e2", "a", at=MIDNIGHT - MICRO),
        track("e3", "a", at=MIDNIGHT),
        track("e4", "a", at=MIDNIGHT + HALF_HOUR + MICRO),
    ]
    assert day_sessions(*rows) == [
        ("a", 1, "e1", 1, None),
        ("a", 1, "e2", 2, 1800.0),
        ("a", 2, "e3", 1, None),
        ("a", 3, "e4", 1, None),
    ]
    kolkata = day_sessions(*rows, timezone="Asia/Kolkata")
    assert [row[1:4] for row in kolkata] == [(1, "e1", 1), (1, "e2", 2), (1, "e3", 3), (2, "e4", 1)]
    assert kolkata[2][4] == 0.000001


def test_a_tie_is_in_the_order_of_ids() -> None:
    """Also for the first known country."""
    rows = track("eb", "a", country="US"), track("eB", "a", country="DE"), track("e0", "a")
    assert [row[2:4] for row in sorted(day_sessions(*rows), key=lambda row: row[3])] == [
        ("e0", 1),
        ("eB", 2),
        ("eb", 3),
    ]
    assert values(run(*rows)["mixpanel.dim__sessions"], "country", "device") == [("DE", None)]


# segment.


def test_page_values_are_of_the_first_and_last_page() -> None:
    """Screens and tracks do not count, a page's unset fields are not filled from another's."""
    rows = [
        RawRow("screens", "e1", "a", timestamp=TEN, url="/screen"),
        page("e2", "a", TEN + MINUTE, url="/one"),
        page("e3", "a", TEN + 2 * MINUTE, title="Two"),
        track("e4", "a", at=TEN + 3 * MINUTE, url="/track"),
    ]
    (row,) = run(*rows, segment_page_fields=("url", "title"))["segment.segment_sessions"]
    assert row["first_page_values"] == {"first_url": "/one", "first_title": None}
    assert row["last_page_values"] == {"last_url": None, "last_title": "Two"}


def test_fields_are_columns_or_properties() -> None:
    """A property of a column's name is not asked."""
    rows = [
        page("e1", "a", country="DE", utm_source="news", traits=(("section", "men"), ("country", "no"))),
        track("e2", "a", at=TEN + MINUTE, os="iOS", traits=(("price", "7"),)),
    ]
    fields: dict[str, Any] = {
        "segment_page_fields": ("country", "section", "utm_source"),
        "segment_track_fields": ("os", "price", "section"),
    }
    (row,) = run(*rows, **fields)["segment.segment_sessions"]
    assert row["records"][0]["page"] == {
        "event_id": "e1", "name": None, "country": "DE", "section": "men", "utm_source": "news",
    }  # fmt: skip
    assert row["records"][1]["track"] == {"event_id": "e2", "event": None, "os": "iOS", "price": "7", "section": None}


def test_the_name_of_a_page_and_all_columns_are_fields() -> None:
    """What a record has anyway stays, whatever fields are asked for."""
    rows = [
        page("e1", "a", user_id="u", event="Home", received_at=TEN + MINUTE, traits=(("name", "no"),)),
        track("e2", "a", at=TEN + MINUTE, event="buy", traits=(("name", "shoe"), ("event_id", "no"))),
    ]
    fields: dict[str, Any] = {
        "segment_page_fields": ("name", "event_id", "received_at", "user_id"),
        "segment_track_fields": ("name", "event", "event_id"),
    }
    (row,) = run(*rows, **fields)["segment.segment_sessions"]
    assert row["first_page_values"] == {
        "first_name": "Home", "first_event_id": "e1", "first_received_at": TEN + MINUTE, "first_user_id": "u",
    }  # fmt: skip
    assert row["records"][0]["page"] == {
        "event_id": "e1", "name": "Home", "received_at": TEN + MINUTE, "user_id": "u",
    }  # fmt: skip
    assert row["records"][1]["track"] == {"event_id": "e2", "event": "buy", "name": "shoe"}


def test_other_types_are_records_without_content() -> None:
    """They count for the session's length, not in its counts; part of a millisecond is dropped."""
    rows = track("e1", "a"), identify("e2", "a", "a", TEN + MINUTE - MICRO)
    (row,) = run(*rows, session_event_types=("track", "identify"))["segment.segment_sessions"]
    assert row["records"][1] == {"timestamp": TEN + MINUTE - MICRO, "track": None, "page": None, "screen": None}
    assert row["stats"] == {"total_tracks": 1, "total_pages": 0, "total_screens": 0, "duration_millis": 59_999}


def test_the_newest_value_of_each_trait_counts() -> None:
    """By time, then by event id; a blank text and a null word are no value; a person's devices and users count together."""
    rows = [
        track("e0", "d", "u", TEN - MINUTE),
        identify("e2", "d", "u", TEN, email="old", name="Ada", plan=""),
        identify("e10", "d", None, TEN, email="older", name="Bo"),
        identify("e3", None, "u", TEN + MINUTE, email=" ", name="NaT", city="Köln"),
        track("e4", "d", "u", TEN + 2 * MINUTE, traits=(("plan", "paid"),)),
    ]
    assert values(run(*rows)["segment.segment_users"], "user_id", "first_seen_at", "email", "name", "plan") == [
        ("u", TEN, "old", "Ada", None)
    ]
    (row,) = run(*rows, segment_user_traits=("city",))["segment.segment_users"]
    assert row == {"user_id": "u", "first_seen_at": TEN, "city": "Köln"}


def test_every_visitor_is_a_user() -> None:
    """Also one of alias calls alone, and users of one device are several where the policy says so."""
    rows = [
        RawRow("aliases", "e1", None, "v", "p", TEN),
        identify("e2", "d", "u1", TEN, plan="one"),
        identify("e3", "d", "u2", TEN + MINUTE, plan="two"),
        identify("e4", "d", None, TEN + 2 * MINUTE, name="Ada"),
    ]
    found = run(*rows)["segment.segment_users"]
    assert values(found, "user_id", "first_seen_at", "name", "plan") == [
        ("u1", TEN, None, "one"),
        ("u2", TEN + MINUTE, "Ada", "two"),
        ("v", TEN, None, None),
    ]


# measure_js.


def test_clients_are_devices_not_persons() -> None:
    """Two users of a device are in one session; a user without a device is a client; midnight does not split."""
    rows = [
        track("e1", "d", "u1", MIDNIGHT - HALF_HOUR),
        track("e2", "d", "u2", MIDNIGHT),
        track("e3", "d", None, MIDNIGHT + HALF_HOUR),
        track("e4", "d", None, MIDNIGHT + 2 * HALF_HOUR + MICRO),
        track("e5", None, "u1", MIDNIGHT),
    ]
    found = run(*rows)
    assert values(
        found["measure_js.sessions"], "session_id", "user_id", "session_duration", "total_events", "events"
    ) == [
        ("1 - d", "u2", 3600.0, 3, []),
        ("1 - u1", "u1", 0.0, 1, []),
        ("2 - d", None, 0.0, 1, []),
    ]
    assert values(
        found["measure_js.users"], "client_id", "user_id", "days_active", "total_sessions", "avg_session_duration"
    ) == [
        ("d", "u1", 1, 1, 3600.0),
        ("d", "u2", 1, 1, 3600.0),
        ("d", None, 1, 2, 1800.0),
        ("u1", "u1", 1, 1, 0.0),
    ]
    assert values(found["measure_js.user_map"], "client_id", "user_id") == [("d", "u1"), ("d", "u2"), ("u1", "u1")]
    assert found["measure_js.clients"] == []
    assert values(found["measure_js.daily_performance"], "date", "daily_active_users", "total_sessions") == [
        (DAY_ONE, 1, 1),
        (DAY_TWO, 2, 3),
    ]


def test_a_client_is_unknown_until_a_session_event_has_a_user() -> None:
    """An identify is in no session and does not make it known."""
    rows = track("e1", "d"), identify("e2", "d", "u", TEN + MINUTE)
    assert values(run(*rows)["measure_js.clients"], "client_id", "total_events") == [("d", 1)]
    assert run(*rows, track("e3", "d", "u", TEN + 2 * MINUTE))["measure_js.clients"] == []


def test_sessions_start_once_even_where_two_events_do() -> None:
    """The smaller id of a tie is the new session, pages are those of every source."""
    rows = [
        other("measure_js", "e2", "d", event="pageview", url="/"),
        other("measure_js", "e1", "d", event="pageview", url="/"),
        page("e3", "d", TEN + MINUTE, url="/b", event="B"),
        other("mixpanel", "e4", "d", event="pageview", at=TEN + MINUTE),
    ]
    found = run(*rows, sources=("measure_js", "rudderstack", "mixpanel"))
    assert values(found["measure_js.events_sessionated"], "event_id", "new_session") == [
        ("e1", 1), ("e2", 0), ("mixpanel:e4", 0), ("rudderstack:e3", 0),
    ]  # fmt: skip
    (row,) = found["measure_js.sessions"]
    assert [row[name] for name in ("pageviews", "total_events", "unique_pages", "events")] == [
        3,
        4,
        2,
        ["B", "pageview"],
    ]


def test_hours_are_local_and_one_may_happen_twice() -> None:
    """New York had half past one twice on that day; Kolkata's hours begin at half past."""
    day = date(2024, 11, 3)
    rows = [track(f"e{n}", "a", at=datetime(2024, 11, 3, 5, 30) + n * HALF_HOUR) for n in range(3)]
    blocks = ("date", "hour", "hour_block", "event_count")
    found = run(*rows, first=day, last=day, timezone="America/New_York")["measure_js.event_blocks"]
    assert values(found, *blocks) == [
        (day, 1, datetime(2024, 11, 3, 5), 1),
        (day, 1, datetime(2024, 11, 3, 6), 2),
    ]
    found = run(*rows, first=day, last=day, timezone="Asia/Kolkata")["measure_js.event_blocks"]
    assert values(found, *blocks) == [
        (day, 11, datetime(2024, 11, 3, 5, 30), 2),
        (day, 12, datetime(2024, 11, 3, 6, 30), 1),
    ]


# The funnel.

STAGES = {"v": "product_view", "w": "viewed_product", "a": "add_to_cart", "c": "shipping_details", "p": "purchase"}


def walk(letters: str, visitor: str = "a", start: datetime = TEN, step: timedelta = MINUTE) -> list[RawRow]:
    """Events of the funnel, one a minute unless said otherwise; any other letter is some other event."""
    return [
        track(f"{visitor}{n}", visitor, None, start + n * step, STAGES.get(each, each))
        for n, each in enumerate(letters)
    ]


@pytest.mark.parametrize(
    ("letters", "reached"),
    [
        ("vacp", "11 12 13 14"),
        ("acp", ""),
        ("vvwxaacvp", "11 12 13 14"),
        ("vcpa", "11 12"),
        ("vacpvacpw", "11 12 13 14 21 22 23 24 31"),
        ("vacppaw", "11 12 13 14 21"),
    ],
)
def test_passes(letters: str, reached: str) -> None:
    """Only the next stage counts, and a new pass begins only after the last one."""
    found = run(*walk(letters))["core.funnel_stages"]
    assert [f"{row['entry_number']}{row['stage_number']}" for row in found] == reached.split()


def test_the_first_event_of_a_stage_reaches_it() -> None:
    """In the order of ids at one instant, over sessions and days, and only by events of session types."""
    rows = [
        track("e2", "a", at=TEN, event="add_to_cart"),
        track("e1", "a", at=TEN, event="viewed_product"),
        track("e3", "a", at=MIDNIGHT + MINUTE, event="shipping_details"),
        RawRow("screens", "e4", "a", timestamp=MIDNIGHT + 2 * MINUTE, event="purchase"),
    ]
    names = ("event_id", "stage_number", "seconds_since_previous_stage", "entry_date", "reached_date")
    found = run(*rows, session_event_types=("track",))["core.funnel_stages"]
    assert values(found, *names) == [
        ("e1", 1, None, DAY_ONE, DAY_ONE),
        ("e2", 2, 0.0, DAY_ONE, DAY_ONE),
        ("e3", 3, 50_460.0, DAY_ONE, DAY_TWO),
    ]
    assert len(run(*rows)["core.funnel_stages"]) == 4


def test_a_funnel_of_one_stage_is_entered_by_every_event() -> None:
    """The only stage is the last one."""
    found = run(*walk("vvv"), funnel=((1, "see", "product_view"),))
    assert values(found["core.funnel_stages"], "entry_number", "stage_name") == [(1, "see"), (2, "see"), (3, "see")]
    assert values(found["core.funnel_daily"], "entries", "visitors") == [(3, 1)]


def test_conversions_are_of_the_passes_that_began_that_day() -> None:
    """Whenever they went on; a visitor with two passes counts once."""
    night = MIDNIGHT - MINUTE
    rows = [*walk("vacpv", "a"), *walk("va", "b", night, 2 * MINUTE), *walk("v", "c", MIDNIGHT)]
    names = ("date", "stage_number", "entries", "visitors", "conversion_from_previous", "conversion_from_first")
    assert values(run(*rows)["core.funnel_daily"], *names) == [
        (DAY_ONE, 1, 3, 2, None, 1.0),
        (DAY_ONE, 2, 2, 2, 2 / 3, 2 / 3),
        (DAY_ONE, 3, 1, 1, 0.5, 1 / 3),
        (DAY_ONE, 4, 1, 1, 1.0, 1 / 3),
        (DAY_TWO, 1, 1, 1, None, 1.0),
        (DAY_TWO, 2, 0, 0, 0.0, 0.0),
        (DAY_TWO, 3, 0, 0, None, 0.0),
        (DAY_TWO, 4, 0, 0, None, 0.0),
    ]


def test_columns_follow_the_settings() -> None:
    """Traits are columns of their own; no row is needed."""
    names = columns(
        Settings(segment_user_traits=("city",), sources=("mixpanel",), session_event_types=("page",), funnel=())
    )
    assert names["segment.segment_users"] == ("user_id", "first_seen_at", "city")
    assert set(names) == set(KEYS) - set(ANALYTICS_KEYS)
