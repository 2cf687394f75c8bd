"""The analytics tables against results worked out by hand, rule by rule."""

import hashlib
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from .analytics import ANALYTICS_KEYS
from .attribution import decay_parts
from .compare import difference
from .model import RawRow, Settings, columns, tables
from .seeds import Seeds
from .visits import millionths

DAY_ONE, DAY_TWO = date(2024, 3, 10), date(2024, 3, 11)
TEN = datetime(2024, 3, 10, 10)
MICRO, SECOND, MINUTE = timedelta(microseconds=1), timedelta(seconds=1), timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SHOP = "https://shop.example/"
NEWS = f"{SHOP}?utm_source=news&utm_medium=email"
GOOGLE = "https://www.google.com/"
BOT, PHONE, DESKTOP = "a bot", "iPhone Safari", "Windows Firefox"
DIRECT = ("(direct)", "(none)", None)
ONE_SALE = Seeds(conversions=(("sale", "buy", "price"),))


def track(
    id: str | None, at: datetime = TEN, event: str | None = "seen", device: str | None = "a", **more: Any
) -> RawRow:
    """A track, at ten unless said otherwise."""
    return RawRow("tracks", id, device, timestamp=at, event=event, **more)


def page(id: str | None, at: datetime = TEN, event: str | None = None, device: str | None = "a", **more: Any) -> RawRow:
    """A page view, at ten unless said otherwise."""
    return RawRow("pages", id, device, timestamp=at, event=event, **more)


def run(*rows: RawRow, **settings: Any) -> dict[str, list[dict[str, Any]]]:
    """The tables of half a year."""
    return tables(rows, Settings(analytics=True, **settings), date(2024, 1, 1), date(2024, 6, 30))


def sessions(*rows: RawRow, **settings: Any) -> list[dict[str, Any]]:
    """The sessions in order."""
    return sorted(run(*rows, **settings)["analytics.sessions"], key=lambda row: row["session_start_at"])


def session(*rows: RawRow, **settings: Any) -> dict[str, Any]:
    """The only session."""
    (row,) = sessions(*rows, **settings)
    return row


def values(row: dict[str, Any], *names: str) -> tuple[Any, ...]:
    """Some columns of a row."""
    return tuple(row[name] for name in names)


def touch(row: dict[str, Any], prefix: str = "touch") -> tuple[Any, ...]:
    """Source, medium and campaign."""
    return values(row, f"{prefix}_source", f"{prefix}_medium", f"{prefix}_campaign")


# The flag.


def test_the_tables_are_there_where_they_are_asked_for() -> None:
    """And only there."""
    assert set(ANALYTICS_KEYS) <= set(run(track("e"))) == set(columns(Settings(analytics=True)))
    assert not set(ANALYTICS_KEYS) & set(tables([track("e")], Settings(), DAY_ONE, DAY_ONE))


# Sessions: the touch.


def test_the_first_event_with_a_touch_decides() -> None:
    """In the order of events; other events than those that make sessions have no say."""
    rows = [
        RawRow("identifies", "e0", "a", timestamp=TEN, url=NEWS),
        track("e1", TEN + SECOND, url=SHOP),
        page("e3", TEN + 2 * SECOND, url=SHOP, referrer=GOOGLE),
        page("e2", TEN + 2 * SECOND, url=f"{NEWS}&utm_content=c&utm_term=t"),
    ]
    row = session(*rows)
    assert (*touch(row), *values(row, "touch_content", "touch_term")) == ("news", "email", None, "c", "t")
    assert row["channel_group"] == "Email"
    assert touch(session(*rows[:3])) == ("google", "organic", None)
    assert (*touch(session(*rows[:2])), session(*rows[:2])["channel_group"]) == (*DIRECT, "Direct")


def test_the_last_touch_that_is_not_direct() -> None:
    """The newest begun in the lookback up to this start, exactly its length ago included, and its own."""
    start = TEN + 2 * DAY
    row = sessions(track("e1", url=NEWS), track("e2", start), attribution_lookback_days=2)[-1]
    assert (*touch(row, "last_non_direct"), row["last_non_direct_channel_group"]) == ("news", "email", None, "Email")
    assert touch(row) == DIRECT
    row = sessions(track("e1", url=NEWS), track("e2", start + MICRO), attribution_lookback_days=2)[-1]
    assert (*touch(row, "last_non_direct"), row["last_non_direct_channel_group"]) == (*DIRECT, "Direct")
    row = sessions(track("e1", url=NEWS), track("e2", start, referrer=GOOGLE))[-1]
    assert touch(row, "last_non_direct") == ("google", "organic", None)
    rows = [track("e1", url=NEWS), track("e2", TEN + DAY, url=f"{SHOP}?utm_campaign=c"), track("e3", start)]
    assert touch(sessions(*rows)[-1], "last_non_direct") == ("(not set)", "(not set)", "c")
    # It goes by a session's start: its touch may be of a later event.
    rows = [track("e1"), track("e2", TEN + MINUTE, url=NEWS), track("e3", start + SECOND)]
    assert touch(sessions(*rows, attribution_lookback_days=2)[-1], "last_non_direct") == DIRECT
    other = track("e1", url=NEWS, device="b")
    assert touch(sessions(other, track("e2", start))[-1], "last_non_direct") == DIRECT


def test_a_campaign_may_say_that_it_is_direct() -> None:
    """Then it is a session's touch, but not one that is not direct."""
    for query, own in (
        ("utm_source=(direct)&utm_medium=(none)", DIRECT),
        ("utm_source=(direct)", ("(direct)", "(not set)", None)),
        ("utm_source=(Direct)&utm_medium=(None)&utm_campaign=a", ("(Direct)", "(None)", "a")),
    ):
        rows = sessions(track("e1", url=NEWS), track("e2", TEN + HOUR, url=f"{SHOP}?{query}"))
        assert (touch(rows[1]), touch(rows[1], "last_non_direct")) == (own, ("news", "email", None))


# Sessions: what happened.


def test_engaged_seconds_are_the_gaps_as_far_as_they_count() -> None:
    """To the microsecond; a session of one event has none."""
    rows = track("e1"), track("e2", TEN + 10 * SECOND), track("e3", TEN + 9 * MINUTE)
    assert session(*rows)["engaged_seconds"] == 70
    assert session(*rows, engaged_gap_seconds=5)["engaged_seconds"] == 10
    assert session(track("e1"), track("e2", TEN + 3 * SECOND + MICRO))["engaged_seconds"] == 3_000_001 / 1e6
    assert session(rows[0])["engaged_seconds"] == 0


def test_engaged_is_more_than_ten_seconds_or_a_conversion_or_two_pages() -> None:
    """Screens count as pages do."""

    def engaged(*rows: RawRow, **settings: Any) -> bool:
        return session(*rows, **settings)["is_engaged"]

    long = TEN + 10 * SECOND
    assert not engaged(track("e1"), track("e2", long))
    assert engaged(track("e1"), track("e2", long + MICRO))
    assert engaged(track("e1"), track("e2", long), engaged_session_seconds=9)
    assert engaged(track("e1", event="signup"))
    assert not engaged(page("e1"), track("e2"))
    assert engaged(page("e1"), RawRow("screens", "e2", "a", timestamp=TEN))


def test_a_bounce_is_known_only_of_sessions_with_a_page() -> None:
    """It is the opposite of engaged."""
    assert session(track("e1"))["is_bounce"] is None
    assert session(track("e1"), track("e2", TEN + MINUTE))["is_bounce"] is None
    assert session(track("e1"), page("e2", TEN + SECOND))["is_bounce"] is True
    assert session(page("e1"), track("e2", TEN + MINUTE))["is_bounce"] is False


def test_pages_differ_by_url_else_by_name() -> None:
    """Tracks are no pages; a page without either is not one of the unique ones."""
    rows = page("e1", url=SHOP, event="x"), page("e2", url=SHOP, event="y"), page("e3", event="y"), page("e4")
    screen = RawRow("screens", "e5", "a", timestamp=TEN, event="y")
    row = session(*rows, screen, track("e6", url=NEWS))
    assert values(row, "event_count", "page_count", "unique_pages") == (6, 5, 2)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (12, 12_000_000),
        (0.1, 100_000),
        (-2.5, -2_500_000),
        (1e-7, 0),
        ("19.99", 19_990_000),
        (" 7 ", 7_000_000),
        ("+.5", 500_000),
        ("5.", 5_000_000),
        ("1e2", 100_000_000),
        ("0.0000005", 1),
        ("-0.0000005", -1),
        ("0.00000049", 0),
        ("-99e16", -990_000_000_000_000_000_000_000),
        ("9e31", 0),
        *(
            (text, 0)
            for text in ("", " ", "free", "12,50", "$5", "1_000", "0x1F", "nan", "Infinity", "1 2", "٣", None, True)
        ),
    ],
)
def test_values_are_rounded_half_away_from_zero(value: str | int | float | None, expected: int) -> None:
    """To millionths; what is no number is nothing."""
    assert millionths(value) == expected


def test_conversions_are_counted_by_name_and_summed_exactly() -> None:
    """One event may be several conversions, each with a value of its own."""
    seeds = Seeds(
        conversions=(("sale", "buy", "price"), ("deal", "buy", "fee"), ("any", "buy", ""), ("big", "Buy", "price"))
    )
    rows = [track(f"e{n}", TEN + n * SECOND, "buy", traits=(("price", 0.1), ("fee", "x"))) for n in range(3)]
    row = session(*rows, seeds=seeds)
    assert values(row, "conversion_count", "conversion_value", "is_engaged") == (9, 0.3, True)
    row = session(track("e1"), seeds=seeds)
    assert values(row, "conversion_count", "conversion_value") == (0, 0.0)
    assert isinstance(row["conversion_value"], float)


def test_the_landing_and_the_exit_are_the_first_and_last_event_with_a_url() -> None:
    """Else the first and last event; a blank url is no url."""
    names = ("landing_url", "landing_path", "landing_title", "exit_url", "exit_path", "referrer", "referrer_host")
    rows = [
        track("e1", title="One", referrer=GOOGLE, path="/one"),
        track("e2", TEN + 1 * SECOND, url=f"{SHOP}two?x", title="Two", referrer="HTTP://www.Bing.com:80/a"),
        track("e3", TEN + 2 * SECOND, url="app://three"),
        track("e4", TEN + 3 * SECOND, url=" ", path="/four"),
    ]
    bing = "HTTP://www.Bing.com:80/a"
    assert values(session(*rows), *names) == (f"{SHOP}two?x", "/two", "Two", "app://three", None, bing, "bing.com")
    assert values(session(rows[0], rows[3]), *names) == (None, "/one", "One", None, "/four", GOOGLE, "google.com")


def test_places_and_machines_are_the_first_known() -> None:
    """The event's own columns come before what its user agent says, whichever event is earlier."""
    names = ("country", "device_type", "os", "browser")
    rows = [
        track("e1", user_agent="unheard of", country=" "),
        track("e2", TEN + 1 * SECOND, user_agent=PHONE),
        track("e3", TEN + 2 * SECOND, user_agent=DESKTOP, country="DE"),
        RawRow("tracks", "e4", "a", timestamp=TEN + 3 * SECOND, os="BeOS", device="toaster", country="US"),
    ]
    assert values(session(*rows), *names) == ("DE", "toaster", "BeOS", "Safari")
    assert values(session(*rows[:3]), *names) == ("DE", "mobile", "iOS", "Safari")
    assert values(session(rows[0]), *names) == (None, None, None, None)


def test_sessions_know_the_one_before() -> None:
    """From its end to this start."""
    rows = sessions(track("e1"), track("e2", TEN + MINUTE), track("e3", TEN + HOUR + MICRO), track("e4", TEN + DAY))
    assert [row["seconds_since_previous_session"] for row in rows] == [None, 3540.000001, 82799.999999]
    assert [row["is_new_visitor"] for row in rows] == [True, False, False]
    assert [row["split_cause"] for row in rows] == ["first", "timeout", "timeout"]


def test_who_made_a_session() -> None:
    """A bot's is a bot's even at home."""

    def kind(*rows: RawRow) -> str:
        return session(*rows)["traffic_type"]

    staff = {"url": "HTTP://LocalHost:3000/x"}
    assert kind(track("e1"), track("e2", TEN + SECOND, user_agent=BOT, **staff)) == "bot"
    assert kind(track("e1"), track("e2", TEN + SECOND, user_agent=DESKTOP, **staff)) == "internal"
    assert kind(track("e1", title="On Staging 2")) == "internal"
    assert kind(track("e1", url="https://localhost.example/")) == "human"


@pytest.mark.parametrize(
    ("count", "length", "expected"),
    [
        (200, 0 * SECOND, "suspect"),
        (199, 0 * SECOND, "human"),
        (200, 200 * SECOND - MICRO, "suspect"),
        (200, 200 * SECOND, "human"),
        (240, 4 * MINUTE, "human"),
        (241, 4 * MINUTE, "suspect"),
    ],
)
def test_suspect_traffic(count: int, length: timedelta, expected: str) -> None:
    """At least 200 events, more than 60 a minute."""
    rows = [track(f"e{n}") for n in range(count - 1)]
    assert session(*rows, track("last", TEN + length))["traffic_type"] == expected


# Attribution.


def weights(*rows: RawRow, **settings: Any) -> list[tuple[Any, ...]]:
    """Of the only conversion each touch's campaign with its weights under the five models."""
    names = ("first_touch", "last_touch", "linear", "position_based", "time_decay")
    found = run(*rows, **{"seeds": ONE_SALE, **settings})["analytics.attribution"]
    assert [(row["touch_number"], row["touch_count"]) for row in found] == [
        (n, len(found)) for n in range(1, len(found) + 1)
    ]
    return [(row["touch_campaign"], *(row[f"{name}_weight"] for name in names)) for row in found]


def visits(*days: int) -> list[RawRow]:
    """A visit from a campaign so many days before the conversion at ten."""
    return [track(f"v{n}", TEN - n * DAY, url=f"{SHOP}?utm_campaign={n}") for n in days]


BUY = track("buy", event="buy", traits=(("price", "9.50"),))


def test_a_conversion_without_a_touch_is_owed_to_its_own_session() -> None:
    """As direct, whatever the touches are that are too old."""
    assert weights(BUY) == [(None, 1, 1, 1, 1, 1)]
    rows = run(*visits(31), BUY, seeds=ONE_SALE)
    (row,) = rows["analytics.attribution"]
    own = max(rows["analytics.sessions"], key=lambda each: each["session_start_at"])
    assert row["session_key"] == own["session_key"]
    assert (*touch(row), row["channel_group"], row["touch_at"]) == (*DIRECT, "Direct", TEN)
    # Its own session may itself have begun too long ago.
    (row,) = run(
        track("e", TEN - DAY, url=NEWS), track("f", TEN - MICRO), BUY, seeds=ONE_SALE,
        session_timeout_seconds=86400, attribution_lookback_days=0,
    )["analytics.attribution"]  # fmt: skip
    assert (*touch(row), row["touch_at"]) == (*DIRECT, TEN - DAY)


def test_weights_of_one_two_and_more_touches() -> None:
    """Time decay halves every seven days."""
    assert weights(*visits(3), BUY) == [("3", 1, 1, 1, 1, 1)]
    assert weights(*visits(14, 7), BUY) == [("14", 1, 0, 0.5, 0.5, 1 / 3), ("7", 0, 1, 0.5, 0.5, 2 / 3)]
    own = track("own", url=f"{SHOP}?utm_campaign=0")
    assert weights(*visits(14, 7), own, BUY) == [
        ("14", 1, 0, 1 / 3, 0.4, 1 / 7),
        ("7", 0, 0, 1 / 3, 0.2, 2 / 7),
        ("0", 0, 1, 1 / 3, 0.4, 4 / 7),
    ]
    assert [row[4] for row in weights(*visits(9, 8, 7, 6, 5), BUY)] == [0.4, 0.2 / 3, 0.2 / 3, 0.2 / 3, 0.4]
    settings = Settings(analytics=True, seeds=ONE_SALE, attribution_lookback_days=360)
    old = tables([*visits(357, 350), BUY], settings, date(2023, 1, 1), date(2024, 6, 30))["analytics.attribution"]
    assert [row["time_decay_weight"] for row in old] == [1 / 3, 2 / 3]


def test_what_is_left_of_a_touch_is_a_whole_number() -> None:
    """Of 2^40 parts at no age."""
    assert decay_parts((0 * DAY, 7 * DAY, 280 * DAY, MICRO)) == [2**40, 2**39, 1, 2**40 - 1]
    # The seventh root of 2^279, rounded.
    (part,) = decay_parts((DAY,))
    assert (2 * part - 1) ** 7 < 2 ** (279 + 7) < (2 * part + 1) ** 7


def test_the_lookback_ends_with_the_conversion() -> None:
    """Exactly its length ago counts; a visit that begins after the conversion does not."""
    old = track("old", TEN - 2 * DAY, url=f"{SHOP}?utm_campaign=old")
    assert [row[0] for row in weights(old, BUY, attribution_lookback_days=2)] == ["old"]
    later = track("buy", TEN + MICRO, "buy")
    assert [row[0] for row in weights(old, later, attribution_lookback_days=2)] == [None]
    # The touch of the conversion's own session may be of an event after it.
    after = track("z", TEN + SECOND, url=f"{SHOP}?utm_campaign=after")
    next_visit = track("zz", TEN + HOUR, url=f"{SHOP}?utm_campaign=next")
    assert [row[0] for row in weights(old, BUY, after, next_visit)] == ["old", "after"]


def test_direct_sessions_and_other_visitors_are_no_touches() -> None:
    """Only the visitor's own visits from somewhere."""
    other = track("o", TEN - HOUR, device="b", url=NEWS)
    assert [row[0] for row in weights(*visits(2, 1), track("d", TEN - 12 * HOUR), other, BUY)] == ["2", "1"]


def test_every_conversion_of_an_event_has_rows_of_its_own() -> None:
    """With its own value."""
    seeds = Seeds(conversions=(("sale", "buy", "price"), ("lead", "buy", "")))
    rows = run(*visits(2, 1), BUY, seeds=seeds)["analytics.attribution"]
    found = sorted(values(row, "conversion_name", "touch_campaign", "conversion_value") for row in rows)
    assert found == [("lead", "1", 0.0), ("lead", "2", 0.0), ("sale", "1", 9.5), ("sale", "2", 9.5)]


# Visitors and their days.


def test_visitors_have_their_first_touch_and_their_newest_traits() -> None:
    """First touches may be direct; the newest values are those of the newest session that has one."""
    rows = [
        track("e1", user_agent=PHONE, url=SHOP),
        track("e2", TEN + HOUR, url=f"{NEWS}&utm_campaign=c", country="DE"),
        track("e3", TEN + DAY, user_agent=BOT, event="signup", traits=(("lead_value", 2),)),
        RawRow("tracks", "e4", "b", "u", timestamp=TEN + DAY + MINUTE),
        RawRow("identifies", "e5", "a", "u", timestamp=TEN + 2 * DAY),
    ]
    (row,) = run(*rows)["analytics.visitors"]
    assert values(row, "dbt_visitor_id", "first_seen_at", "last_seen_at") == ("u", TEN, TEN + DAY + MINUTE)
    names: tuple[str, ...] = (
        "session_count",
        "engaged_session_count",
        "event_count",
        "active_days",
        "conversion_count",
        "conversion_value",
    )
    assert values(row, *names) == (3, 1, 4, 2, 2, 2.0)
    assert (*touch(row, "first_touch"), row["first_touch_channel_group"]) == (*DIRECT, "Direct")
    assert row["first_landing_path"] == "/"
    assert (*touch(row, "last_non_direct"), row["last_non_direct_channel_group"]) == ("news", "email", "c", "Email")
    names = ("device_count", "user_id_count", "country", "device_type", "os", "browser", "traffic_type")
    assert values(row, *names) == (2, 1, "DE", "bot", "iOS", "Safari", "bot")


def test_a_day_is_new_or_returning_or_resurrected() -> None:
    """By the days on which the visitor was active before."""
    days = (0, 1, 30, 58, 87)
    rows = run(*(track(f"e{n}", TEN + n * DAY) for n in days))["analytics.visitor_days"]
    assert [row["lifecycle"] for row in rows] == ["new", "returning", "resurrected", "returning", "resurrected"]
    found = run(*(track(f"e{n}", TEN + n * DAY) for n in (0, 1, 3)), returning_days=1)["analytics.visitor_days"]
    assert [row["lifecycle"] for row in found] == ["new", "returning", "resurrected"]


def test_a_session_over_midnight_counts_on_both_days() -> None:
    """The gap over midnight belongs to the later day."""
    night = datetime(2024, 3, 10, 23, 59, 50)
    rows = [page("e1", night), page("e2", night + 5 * SECOND), track("e3", night + 30 * SECOND, "signup")]
    names = ("date", "session_count", "event_count", "page_count", "engaged_seconds", "conversion_count", "lifecycle")
    assert [values(row, *names) for row in run(*rows)["analytics.visitor_days"]] == [
        (DAY_ONE, 1, 2, 2, 5.0, 0, "new"),
        (DAY_TWO, 1, 1, 0, 25.0, 2, "returning"),
    ]


def test_channels_are_counted_on_the_day_that_a_session_starts() -> None:
    """By its own touch; a visitor is counted once for each channel."""
    rows = [
        track("e1", url=NEWS),
        track("e2", TEN + HOUR, url=NEWS, event="signup", traits=(("lead_value", "1.5"),)),
        track("e3", TEN + HOUR, url=NEWS, device="b"),
        track("e4", TEN + 3 * HOUR),
        track("e5", TEN + HOUR, url=NEWS, device="c", user_agent=BOT),
        track("e6", TEN + DAY, device="b"),
    ]
    found = sorted(tuple(row.values()) for row in run(*rows)["analytics.channels_daily"])
    assert found == [
        (DAY_ONE, "Direct", "(direct)", "(none)", "human", 1, 1, 0, 0, 1, 0, 0.0),
        (DAY_ONE, "Email", "news", "email", "bot", 1, 1, 1, 0, 1, 0, 0.0),
        (DAY_ONE, "Email", "news", "email", "human", 3, 2, 2, 1, 3, 2, 1.5),
        (DAY_TWO, "Direct", "(direct)", "(none)", "human", 1, 1, 0, 0, 1, 0, 0.0),
    ]


def test_retention_counts_weeks_from_the_first() -> None:
    """Weeks begin on Monday: the eleventh of March is one. A cohort is of one first channel."""
    sunday = TEN
    rows = [
        track("a1", sunday),
        track("a2", sunday + DAY),
        track("a3", sunday + 2 * DAY),
        track("a4", sunday + 15 * DAY),
        track("b1", sunday - 6 * DAY, device="b"),
        track("c1", sunday, device="c", url=NEWS),
        track("d1", sunday + DAY, device="d"),
    ]
    first, second = date(2024, 3, 4), date(2024, 3, 11)
    found = sorted(tuple(row.values()) for row in run(*rows)["analytics.retention_weekly"])
    assert found == [
        (first, "Direct", 0, 2, 2),
        (first, "Direct", 1, 1, 2),
        (first, "Direct", 3, 1, 2),
        (first, "Email", 0, 1, 1),
        (second, "Direct", 0, 1, 1),
    ]


def test_user_agents_are_those_of_all_events() -> None:
    """Each once, and no blank one; the parser is given."""
    rows = [
        track("e1", user_agent=BOT),
        track("e2", user_agent=BOT),
        track("e3", user_agent=" "),
        track("e4"),
        RawRow("identifies", "e5", "a", timestamp=TEN, user_agent="x"),
    ]
    found = run(*rows, parse_user_agent=lambda text: (text.upper(), None, "other", text == BOT))["core.user_agents"]
    assert [tuple(row.values()) for row in found] == [
        (BOT, "A BOT", None, "other", True),
        ("x", "X", None, "other", False),
    ]


# Every column of two sessions of one visitor.
NIGHT, AFTER = datetime(2024, 3, 10, 23, 59, 30), datetime(2024, 3, 11, 0, 0, 0, 500_000)
NOON = datetime(2024, 3, 12, 12)
E1, E4 = (hashlib.md5(text.encode()).hexdigest() for text in (f"e1-{DAY_ONE}", "e4-2024-03-12"))
URL = f"{SHOP}?utm_source=News&utm_medium=email&utm_campaign=spring&utm_content=top&utm_term=tea#x"
WHOLE_EXAMPLE: dict[str, list[tuple[Any, ...]]] = {
    "core.user_agents": [(BOT, None, None, "bot", True), (PHONE, "Safari", "iOS", "mobile", False)],
    "analytics.sessions": [
        (
            *(E1, "1 - u", "u", 1, NIGHT, AFTER, DAY_ONE, 30.5, 3, 2, 2, 30.5, 1, 12.5, True, False),
            *(URL, "/", "Home", "app://x", "/x", "https://www.blog.example/a", "blog.example"),
            *("News", "email", "spring", "top", "tea", "Email", "News", "email", "spring", "Email"),
            *("DE", "mobile", "iOS", "Safari", "rudderstack", "Home", "buy", "first", True, None, "human"),
        ),
        (
            *(E4, "2 - u", "u", 2, NOON, NOON, date(2024, 3, 12), 0.0, 1, 0, 0, 0.0, 0, 0.0, False, None),
            *(None, None, None, None, None, None, None),
            *("(direct)", "(none)", None, None, None, "Direct", "News", "email", "spring", "Email"),
            *("US", "bot", None, None, "rudderstack", "seen", "seen", "timeout", False, 129599.5, "bot"),
        ),
    ],
    "analytics.visitors": [
        (
            *("u", NIGHT, NOON, 2, 1, 4, 3, 1, 12.5, "News", "email", "spring", "Email", "/"),
            *("News", "email", "spring", "Email", 1, 1, "US", "bot", "iOS", "Safari", "bot"),
        )
    ],
    "analytics.attribution": [
        (
            *("e3", "sale", AFTER, DAY_TWO, 12.5, "u", E1, NIGHT, "News", "email", "spring", "Email"),
            *(1, 1, 1.0, 1.0, 1.0, 1.0, 1.0),
        )
    ],
    "analytics.visitor_days": [
        ("u", DAY_ONE, 1, 2, 2, 20.0, 0, 0.0, "new"),
        ("u", DAY_TWO, 1, 1, 0, 10.5, 1, 12.5, "returning"),
        ("u", date(2024, 3, 12), 1, 1, 0, 0.0, 0, 0.0, "returning"),
    ],
    "analytics.channels_daily": [
        (DAY_ONE, "Email", "News", "email", "human", 1, 1, 1, 1, 3, 1, 12.5),
        (date(2024, 3, 12), "Direct", "(direct)", "(none)", "bot", 1, 1, 0, 0, 1, 0, 0.0),
    ],
    "analytics.retention_weekly": [
        (date(2024, 3, 4), "Email", 0, 1, 1),
        (date(2024, 3, 4), "Email", 1, 1, 1),
    ],
}


def test_whole_example() -> None:
    """Every column of these tables."""
    actual = run(
        page("e1", NIGHT, "Home", url=URL, title="Home", referrer="https://www.blog.example/a", user_agent=PHONE),
        page("e2", NIGHT + 20 * SECOND, "Cart", url="app://x", path="/x", country="DE"),
        RawRow("tracks", "e3", "a", "u", timestamp=AFTER, event="buy", traits=(("price", "12.50"),)),
        track("e4", NOON, country="US", user_agent=BOT),
        seeds=ONE_SALE,
    )
    names = columns(Settings(analytics=True))
    assert set(WHOLE_EXAMPLE) == set(ANALYTICS_KEYS)
    for table, rows in WHOLE_EXAMPLE.items():
        wanted = [dict(zip(names[table], row, strict=True)) for row in rows]
        assert difference(wanted, actual[table], ANALYTICS_KEYS[table]) is None, table
