"""The model against results worked out by hand, rule by rule."""

import csv
import hashlib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from .analytics import ANALYTICS_KEYS
from .compare import difference
from .model import KEYS, RawRow, Settings, columns, tables

DAY_ONE, DAY_TWO = date(2024, 3, 10), date(2024, 3, 11)
TEN = datetime(2024, 3, 10, 10)
MICRO = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)
URL = "https://shop.example/"
EDGE_CASES = Path(__file__).parents[1] / "data" / "edge_cases.csv"
# The file keeps anonymous ids and user ids apart; the contract compares them as text, so n01 is user "same" already.
OVERRIDES = {"n01": ("n01", "same"), "n02": ("n01", "same")}


def track(
    id: str | None, anonymous_id: str | None = None, user_id: str | None = None, at: datetime | None = TEN, **more: Any
) -> RawRow:
    """A track, at ten unless said otherwise."""
    return RawRow("tracks", id, anonymous_id, user_id, None, at, **more)


def alias(id: str | None, previous_id: str | None, user_id: str | None, at: datetime = TEN) -> RawRow:
    """An alias call."""
    return RawRow("aliases", id, None, user_id, previous_id, at)


def run(*rows: RawRow, first: date = DAY_ONE, last: date = DAY_TWO, **settings: Any) -> dict[str, list[dict[str, Any]]]:
    """The tables of two days."""
    return tables(rows, Settings(**settings), first, last)


def rejected(*rows: RawRow, **settings: Any) -> list[tuple[Any, ...]]:
    """What was rejected: (event_id, reason, event_date)."""
    found = run(*rows, **settings)["core.rejected_events"]
    return [(row["event_id"], row["reason"], row["event_date"]) for row in found]


def accepted(*rows: RawRow, **settings: Any) -> list[dict[str, Any]]:
    """What was accepted, in order."""
    return run(*rows, **settings)["core.events"]


def visitor_of(*rows: RawRow, **settings: Any) -> dict[str, str]:
    """The mapping as a dict."""
    found = run(*rows, **settings)["rudderstack.dbt_aliases_mapping"]
    return {row["alias"]: row["dbt_visitor_id"] for row in found}


def session_of(*rows: RawRow, **settings: Any) -> dict[str, tuple[str, int]]:
    """For each event id (unique in the test) its session and its place there."""
    found = run(*rows, **settings)["rudderstack.dbt_track_facts"]
    return {row["event_id"]: (row["session_id"], row["track_sequence_number"]) for row in found}


# The edge cases file.


def edge_case_lines() -> list[dict[str, str]]:
    """The lines of the file."""
    with EDGE_CASES.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def edge_case_row(line: dict[str, str]) -> RawRow:
    """A line as a RudderStack track."""
    at = datetime.fromisoformat(line["timestamp"]).astimezone(UTC).replace(tzinfo=None) if line["timestamp"] else None
    return track(line["event_id"], line["anonymous_id"], line["user_id"], at, event=line["event"])


@pytest.fixture(scope="module")
def edge_case_tables() -> dict[str, list[dict[str, Any]]]:
    """The tables of the whole file."""
    return run(*map(edge_case_row, edge_case_lines()), identity_policy="merge")


@pytest.mark.parametrize("line", edge_case_lines(), ids=lambda line: f"{line['event_id'] or 'no id'}: {line['note']}")
def test_edge_case(line: dict[str, str], edge_case_tables: dict[str, list[dict[str, Any]]]) -> None:
    """Every line has the visitor and the session, or the rejection, that it expects."""
    row = edge_case_row(line)
    first_event, visitor = line["expect_session_first_event_id"], line["expect_visitor_id"]
    first_event, visitor = OVERRIDES.get(line["event_id"], (first_event, visitor))
    facts = edge_case_tables["rudderstack.dbt_track_facts"]
    found = [fact for fact in facts if (fact["event_id"], fact["timestamp"]) == (row.id, row.timestamp)]
    if first_event.startswith("!"):
        assert found == []
        reasons = [(each["event_id"], each["reason"]) for each in edge_case_tables["core.rejected_events"]]
        assert reasons.count((row.id or None, first_event[1:])) == 1
        return
    (fact,) = found
    (first,) = [f for f in facts if f["session_id"] == fact["session_id"] and f["track_sequence_number"] == 1]
    assert (first["event_id"], fact["dbt_visitor_id"]) == (first_event, visitor)


def test_edge_cases_are_all_accounted_for(edge_case_tables: dict[str, list[dict[str, Any]]]) -> None:
    """Nothing appears twice and nothing is lost."""
    assert len(edge_case_lines()) == 35
    assert (len(edge_case_tables["core.events"]), len(edge_case_tables["core.rejected_events"])) == (31, 4)


# Rejections.


def test_reasons_have_an_order() -> None:
    """Of several faults the first in the list is named; a timestamp that cannot be true dates no row."""
    future = TEN - timedelta(days=1) - MICRO
    assert rejected(track(None, at=None)) == [(None, "no_event_id", None)]
    assert rejected(track("", "a")) == [(None, "no_event_id", DAY_ONE)]
    assert rejected(track("e", at=None, received_at=TEN)) == [("e", "no_timestamp", DAY_ONE)]
    assert rejected(track("e", at=TEN, received_at=future), first=date(2024, 3, 9)) == [
        ("e", "no_identity", date(2024, 3, 9))
    ]
    assert rejected(track("e", "a", received_at=future), first=date(2024, 3, 9)) == [
        ("e", "future_timestamp", date(2024, 3, 9))
    ]


def test_a_whole_day_ahead_of_receipt_is_allowed() -> None:
    """Only strictly more than a day is the future, and without a receipt nothing is."""
    rows = track("e", "a", received_at=TEN - timedelta(days=1)), track("f", "a")
    assert [row["event_id"] for row in accepted(*rows)] == ["e", "f"]
    assert accepted(track("e", "a", received_at=TEN - timedelta(days=1) - MICRO)) == []


def test_rejected_rows_of_other_days_are_left_out_unless_they_have_none() -> None:
    """The days asked for hold for rejected rows too, but not where they are those of the receipt alone."""
    other_day = TEN + timedelta(days=5)
    assert rejected(track("e", at=other_day)) == []
    assert rejected(track("f", "a", at=None)) == [("f", "no_timestamp", None)]
    assert rejected(track("f", "a", at=None, received_at=other_day)) == [("f", "no_timestamp", None)]
    assert rejected(track("f", "a", received_at=TEN - timedelta(days=5))) == [("f", "future_timestamp", None)]


def test_duplicates_are_of_one_id_and_day_over_all_tables() -> None:
    """The earliest is kept, by time and then by receipt with the unknown last."""
    page = RawRow("pages", "e", "a", timestamp=TEN - MICRO)
    (kept,) = accepted(track("e", "a"), page)
    assert (kept["event_type"], kept["timestamp"]) == ("page", TEN - MICRO)
    assert rejected(track("e", "a"), page) == [("e", "duplicate_event_id", DAY_ONE)]
    (kept,) = accepted(track("e", "a"), track("e", "b", received_at=TEN), track("e", "c", received_at=TEN + MICRO))
    assert kept["anonymous_id"] == "b"
    (kept,) = accepted(
        track("e", "late", received_at=TEN + MINUTE), track("e", "soon", at=TEN + MICRO, received_at=TEN)
    )
    assert kept["anonymous_id"] == "late"
    assert rejected(*[track("e", "a")] * 3) == [("e", "duplicate_event_id", DAY_ONE)] * 2


def test_one_id_on_two_days_is_two_events() -> None:
    """The day is that of the reporting timezone."""
    evening, morning = datetime(2024, 3, 10, 23), datetime(2024, 3, 11, 1)
    rows = track("e", "a", at=evening), track("e", "a", at=morning)
    assert [row["event_date"] for row in accepted(*rows)] == [DAY_ONE, DAY_TWO]
    assert [row["event_date"] for row in accepted(*rows, timezone="America/New_York")] == [DAY_ONE]
    assert rejected(*rows, timezone="America/New_York") == [("e", "duplicate_event_id", DAY_ONE)]


def test_a_faulty_row_does_not_make_a_duplicate() -> None:
    """Faults are judged before duplicates."""
    assert rejected(track("e"), track("e", "a", at=TEN + MICRO)) == [("e", "no_identity", DAY_ONE)]


def test_empty_and_blocked_ids_are_missing() -> None:
    """Also in previous_id; blanks around an id and the case of a blocked one do not count, the case of others does."""
    (event,) = accepted(track("e", "n/a", "u"), blocked_ids=("n/a",))
    assert (event["anonymous_id"], event["user_id"]) == (None, "u")
    assert rejected(track("e", " N/A", "  "), blocked_ids=("n/a",)) == [("e", "no_identity", DAY_ONE)]
    (event,) = accepted(track("e", " Ann ", "n/a"), blocked_ids=("N/A ",))
    assert (event["anonymous_id"], event["user_id"]) == ("Ann", None)
    assert rejected(track("e", "n/a", ""), blocked_ids=("n/a",)) == [("e", "no_identity", DAY_ONE)]
    (event,) = accepted(alias("e", "n/a", "u"), blocked_ids=("n/a",))
    assert event["previous_id"] is None
    assert rejected(alias("e", "p", "n/a"), blocked_ids=("n/a",)) == [("e", "no_identity", DAY_ONE)]


def test_columns_a_table_does_not_have_are_ignored() -> None:
    """An alias has no page, an identify no event name and no search, a track no previous_id."""
    names = ("event_type", "previous_id", "event", "url", "search", "country", "utm_term", "user_agent")
    extra: dict[str, Any] = {"url": URL, "search": "?x", "country": "DE", "utm_term": "shoes", "user_agent": "Firefox"}
    (event,) = accepted(RawRow("identifies", "e", "a", "u", "p", TEN, None, "login", **extra))
    assert [event[name] for name in names] == ["identify", None, None, URL, None, "DE", "shoes", "Firefox"]
    (event,) = accepted(RawRow("aliases", "e", "a", "u", "p", TEN, None, "login", **extra))
    assert [event[name] for name in names] == ["alias", "p", None, None, None, None, None, None]
    (event,) = accepted(RawRow("tracks", "e", "a", "u", "p", TEN, None, "login", **extra))
    assert [event[name] for name in names] == ["track", None, "login", URL, "?x", "DE", "shoes", "Firefox"]
    (event,) = accepted(RawRow("screens", "e", "a", "u", "p", TEN, None, "login", **extra))
    assert [event[name] for name in names] == ["screen", None, "login", URL, "?x", "DE", "shoes", "Firefox"]


# Visitors.


def test_latest_and_first_user_follow_one_login() -> None:
    """By time, then by event id; any event that carries both ids counts."""
    rows = [
        track("e2", "d", "u1", TEN),
        track("e3", "d", "u2", TEN + MINUTE),
        RawRow("identifies", "e10", "d", "u3", timestamp=TEN + MINUTE),
        RawRow("identifies", "e1", "d", "u4", timestamp=TEN),
    ]
    assert visitor_of(*rows)["d"] == "u2"
    assert visitor_of(*rows, identity_policy="first_user")["d"] == "u4"
    users = {"u1": "u1", "u2": "u2", "u3": "u3", "u4": "u4"}
    assert visitor_of(*rows) == {**users, "d": "u2"}
    assert visitor_of(*rows, identity_policy="merge") == dict.fromkeys(("u1", "u2", "u3", "u4", "d"), "u1")


@pytest.mark.parametrize("policy", ["latest_user", "first_user"])
def test_an_id_that_is_a_user_is_not_moved_by_logins(policy: str) -> None:
    """Ids are compared as text: the device "u1" is the user "u1"."""
    rows = [track("e1", "u1"), track("e2", "u1", "u2"), track("e3", None, "u1")]
    assert visitor_of(*rows, identity_policy=policy) == {"u1": "u1", "u2": "u2"}


@pytest.mark.parametrize("policy", ["latest_user", "first_user"])
def test_an_alias_wins_over_logins(policy: str) -> None:
    """A device named in an alias call belongs to its user there; an unnamed one follows its login into a person."""
    rows = [
        track("e1", "d", "u1"),
        alias("e2", "d", "u2", TEN + MINUTE),
        alias("e3", "u2", "u3", TEN - MINUTE),
        track("e4", "other", "u3", TEN + 2 * MINUTE),
        track("e5", "lonely"),
    ]
    expected = {"u1": "u1", "d": "u2", "u2": "u2", "u3": "u2", "other": "u2", "lonely": "lonely"}
    assert visitor_of(track("e0", None, "u2", TEN - 2 * MINUTE), *rows, identity_policy=policy) == expected


def test_merge_joins_logins_and_aliases() -> None:
    """The device logged in as u1 and aliased to u2 makes them one."""
    rows = [track("e1", "d", "u1"), alias("e2", "d", "u2", TEN + MINUTE)]
    assert visitor_of(*rows, identity_policy="merge") == {"u1": "u1", "d": "u1", "u2": "u1"}


def test_merge_does_not_believe_a_device_of_too_many_users() -> None:
    """None of its pairs count, its alias calls do, and below the limit all count."""
    rows = [track(f"e{n}", "kiosk", f"u{n}", TEN + n * MINUTE) for n in range(3)]
    alone = {"kiosk": "kiosk", "u0": "u0", "u1": "u1", "u2": "u2"}
    guarded = {"identity_policy": "merge", "max_users_per_alias": 2}
    assert visitor_of(*rows, **guarded) == alone
    assert visitor_of(*rows, alias("e9", "kiosk", "u1"), **guarded) == {**alone, "kiosk": "u1"}
    assert visitor_of(*rows[1:], **guarded) == {"kiosk": "u1", "u1": "u1", "u2": "u1"}
    assert set(visitor_of(*rows, identity_policy="merge").values()) == {"u0"}


def test_a_person_is_named_by_the_user_seen_first() -> None:
    """Seen in any column; at the same instant the smallest text by code point names."""
    calls = [alias("e1", "b", "a", TEN + MINUTE), track("e2", None, "b", TEN + 2 * MINUTE)]
    assert visitor_of(*calls)["a"] == "a"
    assert visitor_of(*calls, track("e3", "b", None, TEN))["a"] == "b"
    assert visitor_of(alias("e1", "a", "B"), track("e2", None, "a", TEN + MINUTE))["a"] == "B"
    assert visitor_of(alias("e1", "\U0001f600", "\uffe5"), track("e2", None, "\U0001f600")) == {
        "\U0001f600": "\uffe5",
        "\uffe5": "\uffe5",
    }


def test_a_person_is_not_named_by_an_id_that_is_no_user() -> None:
    """However early it was seen."""
    assert visitor_of(alias("e1", "p", "u"), track("e2", "p", None, TEN - MINUTE)) == {"p": "u", "u": "u"}


def test_an_event_with_a_user_belongs_to_that_user() -> None:
    """Whatever its device follows; without one it belongs to its device's visitor."""
    rows = [track("e1", "d", "u1"), track("e2", "d", None, TEN + MINUTE), track("e3", "d", "u2", TEN + 2 * MINUTE)]
    assert session_of(*rows) == {"e1": ("1 - u1", 1), "e2": ("1 - u2", 1), "e3": ("1 - u2", 2)}


def test_the_graph_knows_kind_and_times_of_each_id() -> None:
    """A user is an id that was ever in user_id; every event type and column is a sighting; other days do not exist."""
    rows = [
        track("e1", "d", "u", TEN),
        alias("e2", "p", "u", TEN + MINUTE),
        RawRow("identifies", "e3", "d", timestamp=TEN - MINUTE),
        track("e4", "gone", "d", TEN + timedelta(days=2)),
    ]
    expected = [
        ("d", "anonymous_id", "u", TEN - MINUTE, TEN),
        ("p", "anonymous_id", "u", TEN + MINUTE, TEN + MINUTE),
        ("u", "user_id", "u", TEN, TEN + MINUTE),
    ]
    assert sorted(tuple(row.values()) for row in run(*rows)["core.identity_graph"]) == expected


# Sessions.


def test_only_strictly_more_than_the_timeout_splits() -> None:
    """Exactly 30 minutes continue, a microsecond more does not."""
    later = TEN + timedelta(minutes=30)
    rows = track("e1", "a"), track("e2", "a", at=later), track("e3", "a", at=later + timedelta(minutes=30) + MICRO)
    assert session_of(*rows) == {"e1": ("1 - a", 1), "e2": ("1 - a", 2), "e3": ("2 - a", 1)}
    one_hour = session_of(*rows, session_timeout_seconds=3600)
    assert one_hour["e3"] == ("1 - a", 3)


def test_other_events_are_in_no_session() -> None:
    """An identify bridges no gap, unless the settings say that it does."""
    later = TEN + timedelta(minutes=40)
    rows = [
        track("e1", "a"),
        RawRow("identifies", "e2", "a", timestamp=TEN + 20 * MINUTE),
        RawRow("screens", "e3", "a", timestamp=later),
    ]
    assert session_of(*rows) == {"e1": ("1 - a", 1), "e3": ("2 - a", 1)}
    every_type = session_of(*rows, session_event_types=("track", "identify", "screen"))
    assert every_type == {"e1": ("1 - a", 1), "e2": ("1 - a", 2), "e3": ("1 - a", 3)}


def test_events_of_one_instant_are_in_code_point_order() -> None:
    """Text order, upper case first, not UTF-16 order."""
    ids = ["e10", "e2", "eA", "ea", "e\uffe5", "e\U0001f600"]
    places = session_of(*(track(each, "a") for each in reversed(ids)))
    assert [places[each][1] for each in ids] == [1, 2, 3, 4, 5, 6]


def test_the_session_day_is_of_the_reporting_timezone() -> None:
    """Half past seven in the evening, UTC, is the next day in Kolkata."""
    found = run(track("e", "a", at=datetime(2024, 3, 10, 19, 30)), timezone="Asia/Kolkata")
    for name in ("dbt_session_tracks", "dbt_session_track_facts", "dbt_session_duration"):
        assert [row["session_start_date"] for row in found[f"rudderstack.{name}"]] == [DAY_TWO]


def test_the_flow_ends_with_its_session() -> None:
    """Its length and the counted events are settings."""
    rows = [track(f"e{n}", "a", at=TEN + n * MINUTE, event=name) for n, name in enumerate(("x", "y", "x"))]
    found = run(*rows, track("e9", "a", at=TEN + timedelta(hours=2)), flow_length=3, counted_events={"cnt_x": "x"})
    flow = [(row["event"], row["event_2"], row["event_3"]) for row in found["rudderstack.dbt_tracks_flow"]]
    assert flow == [("x", "y", "x"), ("y", "x", None), ("x", None, None), (None, None, None)]
    assert [row["cnt_x"] for row in found["rudderstack.dbt_session_track_facts"]] == [2, 0]


NIGHT, NEXT_DAY = datetime(2024, 3, 10, 23, 59), datetime(2024, 3, 11, 0, 0, 0, 7)
NOON = datetime(2024, 3, 11, 12)
UNSET = (None,) * 13


# The core and rudderstack tables of three events of one person and a faulty row, worked out by hand.
def mixpanel(id_: str, distinct: str, at: datetime = TEN, **more: Any) -> RawRow:
    return RawRow("events", id_, distinct, timestamp=at, source="mixpanel", **{"event": "e", **more})


def in_mixpanel(*rows: RawRow) -> dict[str, list[dict[str, Any]]]:
    return run(*rows, sources=("mixpanel",))


@pytest.mark.parametrize(
    ("ids", "device", "user"),
    [
        ({"distinct": "$device:D"}, "D", None),
        ({"distinct": "$device:D", "device_id": "D"}, "D", None),
        ({"distinct": "D", "device_id": "$device:D"}, "D", None),
        ({"distinct": "u", "device_id": "D"}, "D", "u"),
        ({"distinct": "u", "device_id": "D", "user_id": "v"}, "D", "v"),
        ({"distinct": "d", "user_id": "u"}, "d", "u"),
        ({"distinct": "$device:E", "device_id": "D"}, "D", None),
    ],
)
def test_mixpanel_says_in_several_ways_who_it_was(ids: dict[str, Any], device: str, user: str | None) -> None:
    """The device is device_id, else distinct_id, which after login is the user."""
    (event,) = in_mixpanel(mixpanel("i", ids.pop("distinct"), **ids))["core.events"]
    assert (event["anonymous_id"], event["user_id"]) == (device, user)


def test_mixpanels_copies_share_event_distinct_id_and_second() -> None:
    """Rows of one insert_id that do not are events of their own, named by what they differ in."""
    rows = [mixpanel("i", "d"), mixpanel("i", "d", TEN + MICRO), mixpanel("i", "d", event="f"), mixpanel("i", "x")]
    found = in_mixpanel(*rows)
    assert [row["reason"] for row in found["core.rejected_events"]] == ["duplicate_event_id"]
    ids = sorted(event["event_id"] for event in found["core.events"])
    assert ids[0] == "i"
    assert all(len(id_) == len("i-") + 32 for id_ in ids[1:])
    assert len(set(ids)) == 3


def test_the_vendor_orders_events_of_one_moment() -> None:
    """By its sequence, then by event_id."""
    rows = [mixpanel("a", "d", sequence=2), mixpanel("b", "d", sequence=1), mixpanel("c", "d", sequence=1)]
    assert [row["event_id"] for row in in_mixpanel(*rows)["mixpanel.fact__users_journey"]] == ["b", "c", "a"]


def test_an_alias_call_joins_the_first_two_ids_that_it_has() -> None:
    """Of previous_id, user_id and anonymous_id."""
    calls = {"two devices": ("a", None, "p"), "user and device": ("a", "u", None), "three": ("a", "u", "p")}
    visitors = {}
    for name, (device, user, previous) in calls.items():
        rows = run(RawRow("aliases", "e", device, user, previous, TEN))["core.identity_graph"]
        visitors[name] = {row["alias"]: row["dbt_visitor_id"] for row in rows}
    assert visitors["two devices"] == {"a": "a", "p": "a"}
    assert visitors["user and device"] == {"a": "u", "u": "u"}
    assert visitors["three"] == {"a": "u", "u": "u", "p": "u"}


def test_alias_calls_of_a_shared_device_link_nothing() -> None:
    """Under every policy; the device then goes by its logins."""
    calls = [alias(f"c{n}", "kiosk", f"u{n}") for n in range(3)]
    for policy in ("latest_user", "first_user", "merge"):
        for guard, expected in ((3, {"u0"}), (2, {"u0", "u1", "u2", "kiosk"})):
            found = run(*calls, identity_policy=policy, max_users_per_alias=guard)["core.identity_graph"]
            assert {row["dbt_visitor_id"] for row in found} == expected


# The session_key of the sessions that e1 and e3 start.
E1, E3 = (hashlib.md5(text.encode()).hexdigest() for text in (f"e1-{DAY_ONE}", f"e3-{DAY_TWO}"))
WHOLE_EXAMPLE: dict[str, list[tuple[Any, ...]]] = {
    "core.events": [
        ("e1", "rudderstack", "track", "signup", "d", None, None, NIGHT, DAY_ONE, None, URL, *UNSET, 0),
        ("e2", "rudderstack", "page", "Cart", "d", "u", None, NEXT_DAY, DAY_TWO, NOON, None, *UNSET, 0),
        ("e3", "rudderstack", "screen", "viewed_product", None, "u", None, NOON, DAY_TWO, None, None, *UNSET, 0),
    ],
    "core.rejected_events": [("e4", "rudderstack", "no_identity", DAY_TWO, NOON)],
    "core.identity_graph": [
        ("d", "anonymous_id", "u", NIGHT, NEXT_DAY),
        ("u", "user_id", "u", NEXT_DAY, NOON),
    ],
    "core.session_events": [
        (
            "e1",
            "rudderstack",
            "track",
            "signup",
            "d",
            None,
            "u",
            E1,
            1,
            1,
            1,
            1,
            "first",
            "Cart",
            None,
            None,
            None,
            None,
            None,
            None,
            0,
            NIGHT,
            NIGHT,
            DAY_ONE,
        ),
        (
            "e2",
            "rudderstack",
            "page",
            "Cart",
            "d",
            "u",
            "u",
            E1,
            1,
            2,
            2,
            1,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            0,
            NEXT_DAY,
            NIGHT,
            DAY_TWO,
        ),
        (
            "e3",
            "rudderstack",
            "screen",
            "viewed_product",
            None,
            "u",
            "u",
            E3,
            2,
            1,
            3,
            1,
            "timeout",
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            0,
            NOON,
            NOON,
            DAY_TWO,
        ),
    ],
    "core.sessions": [
        (E1, "u", 1, "first", 2, 0, 1, NIGHT, NEXT_DAY, NOON, DAY_ONE),
        (E3, "u", 2, "timeout", 1, 1, 0, NOON, NOON, None, DAY_TWO),
    ],
    "rudderstack.dbt_aliases_mapping": [("d", "u"), ("u", "u")],
    "rudderstack.dbt_mapped_tracks": [
        ("e1", "d", "u", NIGHT, "signup", None, DAY_ONE),
        ("e2", "d", "u", NEXT_DAY, "Cart", 60_000_007 / 60_000_000, DAY_TWO),
        ("e3", None, "u", NOON, "viewed_product", 43_199_999_993 / 60_000_000, DAY_TWO),
    ],
    "rudderstack.dbt_session_tracks": [
        ("1 - u", E1, "u", NIGHT, 1, NOON, "first", DAY_ONE),
        ("2 - u", E3, "u", NOON, 2, None, "timeout", DAY_TWO),
    ],
    "rudderstack.dbt_track_facts": [
        ("d", NIGHT, "e1", "signup", "1 - u", E1, "u", 1, DAY_ONE),
        ("d", NEXT_DAY, "e2", "Cart", "1 - u", E1, "u", 2, DAY_TWO),
        (None, NOON, "e3", "viewed_product", "2 - u", E3, "u", 1, DAY_TWO),
    ],
    "rudderstack.dbt_session_track_facts": [
        ("1 - u", NEXT_DAY, 2, 0, 1, DAY_ONE),
        ("2 - u", NOON, 1, 1, 0, DAY_TWO),
    ],
    "rudderstack.dbt_user_session_facts": [("u", NIGHT, NOON, 2)],
    "rudderstack.dbt_session_duration": [
        ("u", "1 - u", 60_000_007 / 60_000_000, DAY_ONE),
        ("u", "2 - u", 0.0, DAY_TWO),
    ],
    "rudderstack.dbt_tracks_flow": [
        ("e1", "1 - u", 1, "signup", "u", NIGHT, "Cart", None, None, None, DAY_ONE),
        ("e2", "1 - u", 2, "Cart", "u", NEXT_DAY, None, None, None, None, DAY_TWO),
        ("e3", "2 - u", 1, "viewed_product", "u", NOON, None, None, None, None, DAY_TWO),
    ],
}


def test_whole_example() -> None:
    """Every column of these tables."""
    actual = run(
        RawRow("screens", "e3", None, "u", None, NOON, None, "viewed_product"),
        RawRow("tracks", "e4", "", None, None, NOON, NOON),
        RawRow("pages", "e2", "d", "u", None, NEXT_DAY, NOON, "Cart"),
        track("e1", "d", None, NIGHT, event="signup", url=URL),
    )
    names = columns(Settings())
    assert set(names) == set(actual) == set(KEYS) - set(ANALYTICS_KEYS) >= set(WHOLE_EXAMPLE)
    for table, rows in WHOLE_EXAMPLE.items():
        wanted = [dict(zip(names[table], row, strict=True)) for row in rows]
        assert difference(wanted, actual[table], KEYS[table]) is None, table


def test_no_rows_make_empty_tables() -> None:
    """All tables are there."""
    assert run(analytics=True) == {name: [] for name in KEYS}
    assert run() == {name: [] for name in KEYS if name not in ANALYTICS_KEYS}


def test_settings_and_rows_refuse_what_does_not_exist() -> None:
    """A misspelt policy, table or source and a broken funnel fail at once."""
    with pytest.raises(ValueError, match="identity_policy 'newest'"):
        Settings(identity_policy="newest")
    with pytest.raises(ValueError, match="table 'track'"):
        RawRow("track", "e")
    with pytest.raises(ValueError, match="table 'tracks': one of events"):
        RawRow("tracks", "e", source="mixpanel")
    with pytest.raises(ValueError, match="source 'heap'"):
        RawRow("tracks", "e", source="heap")
    for sources in ((), ("heap",), ("segment", "segment")):
        with pytest.raises(ValueError, match="sources"):
            Settings(sources=sources)
    for funnel in (((2, "a", "x"),), ((1, "a", "x"), (1, "b", "y")), ((1, "a", "x"), (2, "b", "x"))):
        with pytest.raises(ValueError, match="funnel"):
            Settings(funnel=funnel)
