"""Exports in the formats that the four vendors publish, through the landing and all models: people, sessions, rejected rows.

The rows are in tests/data/vendors, a folder per vendor. The expected results are worked out by hand from the vendor's documentation and
the identity rules, and are beside each test.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from sessionization_dagster.dbt.raw_tables import raw_tables
from sessionization_dagster.landing import LandingReport, land
from tests.integration.thin_driver import ThinDriver, parsed_project
from tests.oracle.model import Settings

VENDORS = Path(__file__).parents[1] / "data" / "vendors"
FILES = sorted(file for file in VENDORS.glob("*/**/*") if file.is_file())
SOURCES = ("rudderstack", "segment", "mixpanel", "measure_js")
FIRST, LAST = date(2024, 3, 4), date(2024, 3, 5)
# What the vendors compress. The repository holds it as text, so that it can be read.
COMPRESSED = ("rudderstack/rudder-logs/", "segment/segment-logs/", "mixpanel/events/simplified/")
# Tables of the vendors' warehouses that make no event of their own.
NO_TABLES = ("rudderstack/users", "segment/groups", "segment/product_viewed")


@dataclass(frozen=True)
class Exports:
    """A warehouse in which all vendors' files have landed and both days have run."""

    driver: ThinDriver
    report: LandingReport

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of an answer."""
        with self.driver.warehouse.connect() as connection:
            return [tuple(row.values()) for row in connection.query(sql).to_pylist()]

    def sessions(self, source: str) -> list[tuple[Any, ...]]:
        """(visitor, start, number of events) of the sessions that a source's events began."""
        return self.query(
            f"""select dbt_visitor_id, strftime(session_start_at, '%d %H:%M:%S'), count(*)
            from rudderstack.dbt_session_tracks
            inner join rudderstack.dbt_track_facts using (session_id, dbt_visitor_id)
            inner join core.events using (event_id, event_date)
            where source = '{source}' group by all order by all"""
        )

    def people(self, source: str) -> dict[str, set[str]]:
        """Visitor -> all of their ids, of the visitors of a source."""
        rows = self.query(
            f"""select distinct graph.dbt_visitor_id, graph.alias
            from core.identity_graph as graph
            where graph.dbt_visitor_id in (
                select own.dbt_visitor_id from core.identity_graph as own
                inner join core.events as seen on own.alias in (seen.anonymous_id, seen.user_id, seen.previous_id)
                where seen.source = '{source}'
            )"""
        )
        return {visitor: {alias for name, alias in rows if name == visitor} for visitor, _ in rows}

    def rejected(self, source: str) -> list[tuple[Any, ...]]:
        """(the vendor's id, reason) of a source's rejected rows."""
        return self.query(
            f"""select coalesce(replace(event_id, source || ':', ''), ''), reason
            from core.rejected_events where source = '{source}' order by all"""
        )


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Exports:
    """One landing and one run for all vendors."""
    folder = tmp_path_factory.mktemp("vendors")
    for file in FILES:
        name = file.relative_to(VENDORS).as_posix()
        target = folder / "landing" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if name.startswith(COMPRESSED):
            target.with_name(f"{target.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
        else:
            target.write_bytes(file.read_bytes())
    blocked = tuple(parsed_project(SOURCES).variables["blocked_ids"])
    driver = ThinDriver(folder, Settings(sources=SOURCES, blocked_ids=blocked))
    tables = raw_tables(driver.project.manifest, SOURCES)
    with driver.warehouse.connect() as connection:
        for table in (*(table.name for table in tables), "landing_rejects"):
            connection.execute(f"drop table raw.{table}")
        report = land(connection.native, folder / "landing", tables, datetime(2024, 7, 1))
    driver.run(FIRST, LAST)
    return Exports(driver, report)


def records() -> dict[str, int]:
    """Source -> how many records its files hold, by counting lines."""
    counts = dict.fromkeys(SOURCES, 0)
    for file in FILES:
        source, name = file.relative_to(VENDORS).parts[0], file.relative_to(VENDORS).as_posix()
        if not name.startswith(NO_TABLES):
            lines = file.read_text().splitlines()
            counts[source] += len(lines) if lines[0].startswith("{") else len(lines) - 1
    return counts


def test_every_record_is_an_event_or_rejected(exports: Exports) -> None:
    counted = exports.query(
        """select source, count(*) from (
            select source from core.events union all select source from core.rejected_events
        ) group by source"""
    )
    assert dict(counted) == records() == {"rudderstack": 35, "segment": 26, "mixpanel": 29, "measure_js": 15}


def test_every_file_is_read_or_named(exports: Exports) -> None:
    assert [table.files_unreadable for table in exports.report.tables.values()] == [0] * 12
    assert exports.report.ignored_files == ()
    assert [sentence.split("/: no such table")[0] for sentence in exports.report.unknown_folders] == list(NO_TABLES)


# RudderStack writes object storage as rudder-logs/<source id>/<date>/<timestamp>.<source id>.<uuid>.json.gz, all calls in one file, and
# warehouses as a table per type of call. rs-ann browses on rs-web-1, logs in at 09:06 and later uses rs-phone-1; the server's alias call
# says that she was rs-old before, the user seen first (08:00), who names the person. Her page of 09:40:00.000 is 30:00.000 after her
# order, which continues the session. rs-cid logs in on rs-web-6; an alias call joins rs-dev-7. 4242 is a number in the dump and 4242.0 in
# a file of pandas. The zero UUID, "undefined", "Null" and "NaN" are nobody. The page of the user rs-srv-1 and the screen of the device
# of that name are one visitor's. rs-web-9's alias call joins rs-gus-old and rs-gus, and is a login on the device besides. An alias call
# of this source says of Mixpanel's ids what a $merge event there does not.
def test_people_of_rudderstack(exports: Exports) -> None:
    assert exports.people("rudderstack") == {
        "rs-old": {"rs-old", "rs-ann", "rs-web-1", "rs-phone-1"},
        "rs-bob": {"rs-bob"},
        "rs-web-2": {"rs-web-2"},
        "rs-web-3": {"rs-web-3"},
        "4242": {"4242", "rs-web-4"},
        "rs-web-5": {"rs-web-5"},
        "rs-gus": {"rs-gus", "rs-gus-old", "rs-web-9"},
        "rs-cid": {"rs-cid", "rs-web-6", "rs-dev-7"},
        "rs-web-8": {"rs-web-8"},
        "rs-snow-1": {"rs-snow-1"},
        "rs-srv-1": {"rs-srv-1"},
        "mx-cat": {"mx-cat", "mx-d-10", "mx-d-11"},
    }


def test_sessions_of_rudderstack(exports: Exports) -> None:
    # rs-m16 of rs-web-5 has originalTimestamp alone. The phone's clock is at +05:30.
    assert exports.sessions("rudderstack") == [
        ("4242", "04 10:00:00", 2),
        ("rs-bob", "04 10:00:00", 1),
        ("rs-cid", "04 12:59:59", 3),
        ("rs-gus", "04 16:00:00", 1),
        ("rs-old", "04 08:00:00", 1),
        ("rs-old", "04 09:00:00", 4),
        ("rs-old", "04 11:50:00", 2),
        ("rs-snow-1", "04 14:00:00", 1),
        ("rs-srv-1", "04 15:00:00", 2),
        ("rs-web-2", "04 10:00:00", 1),
        ("rs-web-3", "04 10:00:00", 1),
        ("rs-web-5", "04 10:00:00", 1),
        ("rs-web-8", "04 10:20:00", 1),
    ]


def test_rejected_rows_of_rudderstack(exports: Exports) -> None:
    # Two group calls and a merge call make no event. The order's retry has its id and came later.
    assert exports.rejected("rudderstack") == [
        ("", "no_event_id"),
        ("", "unreadable"),
        ("", "unreadable"),
        ("", "unreadable"),
        ("rs-m04", "duplicate_event_id"),
        ("rs-m09", "no_identity"),
        ("rs-m14", "future_timestamp"),
        ("rs-m15", "no_timestamp"),
    ]


def test_columns_of_rudderstack(exports: Exports) -> None:
    events = exports.query(
        """select event_id, event_type, event, vendor_session_id, os, device, url, title from core.events
        where event_id in ('rs-m01', 'rs-m04', 'rs-m22', 'rs-w01', 'rs-w06') order by 1"""
    )
    shop = "https://shop.example/"
    assert events == [
        ("rs-m01", "page", "Home", "1709542800123", None, None, shop, "Shop"),
        ("rs-m04", "track", "Order Completed", "1709542800123", None, None, shop, "Shop"),
        ("rs-m22", "screen", "Main", "1709553000", "Android", "Android", None, None),
        ("rs-w01", "track", "product_viewed", "1709557200", None, None, f"{shop}a", None),
        ("rs-w06", "page", "A", None, None, None, f"{shop}a", "A"),
    ]


# Segment writes S3 as segment-logs/<source id>/<received day>/<file>.gz, a call a line, and warehouses as a table per type of call.
# sg-uma logs in on sg-web-1 (09:12) and on the phone sg-and-2 (20:01). sg-web-2's two events around midnight have one messageId, which
# makes two events, and one session. 77001 is a number in one call and text in the other, and the Go and Node libraries write 9 digits
# and none after the second. sg-web-3's second track is 30:01 after its page. sg-and-1 is sg-vic's by an alias call, who has logged in on
# sg-web-4, a device without an event of its own but the identify call. sg-web-5's alias call has no previousId, so that it joins the
# two ids that it has.
def test_people_of_segment(exports: Exports) -> None:
    assert exports.people("segment") == {
        "sg-uma": {"sg-uma", "sg-web-1", "sg-and-2"},
        "sg-web-2": {"sg-web-2"},
        "77001": {"77001"},
        "sg-web-3": {"sg-web-3"},
        "sg-vic": {"sg-vic", "sg-and-1", "sg-web-4"},
        "sg-wes": {"sg-wes", "sg-web-5"},
    }


def test_sessions_of_segment(exports: Exports) -> None:
    assert exports.sessions("segment") == [
        ("77001", "04 10:00:00", 2),
        ("sg-uma", "04 09:00:00", 3),
        ("sg-uma", "04 20:00:00", 2),
        ("sg-uma", "05 09:05:00", 1),
        ("sg-vic", "04 15:00:00", 1),
        ("sg-web-2", "04 23:50:00", 2),
        ("sg-web-3", "04 10:00:00", 2),
        ("sg-web-3", "04 11:00:00", 1),
        ("sg-wes", "04 16:00:00", 2),
    ]


def test_rejected_rows_of_segment(exports: Exports) -> None:
    # A group call, a delivery that was repeated, and an anonymousId of "null".
    assert exports.rejected("segment") == [
        ("", "unreadable"), ("ajs-next-12", "no_identity"), ("ajs-next-14", "duplicate_event_id"),
    ]  # fmt: skip


def test_columns_of_segment(exports: Exports) -> None:
    (page,) = exports.query(
        """select event, url, search, utm_source, utm_medium, user_agent, user_id from core.events
        where source = 'segment' and event_type = 'page' and anonymous_id = 'sg-web-1'"""
    )
    assert page == (
        "Home",
        "https://shop.example/",
        "?utm_source=news",
        "news",
        "email",
        "Mozilla/5.0 (Windows NT 10.0)",
        None,
    )
    # The newest identify call gives the plan, an older one the address.
    assert exports.query("select email, plan from segment.segment_users where user_id = 'sg-uma'") == [
        ("uma@example.com", "pro")
    ]


# Mixpanel's raw export is one JSON object a line. simplified: distinct_id is $device:<device> before login and the user after it; the
# server's events have no device, and one has no $user_id either. mx-gil has properties of the shop's own that are called user_id,
# device_id and os, beside Mixpanel's $user_id, $device_id and $os, which count. original: distinct_id is the name that Mixpanel chose
# for the person (mx-ben's, also before login; the device mx-d-10 for mx-cat), $identify, $create_alias and $merge are events as others
# are, and times are milliseconds (time_in_ms). json_pipeline: Mixpanel's JSON Pipelines, which call the name event_name. flat: a table.
def test_people_of_mixpanel(exports: Exports) -> None:
    assert exports.people("mixpanel") == {
        "mx-amy": {"mx-amy", "mx-dev-1"},
        "mx-dev-2": {"mx-dev-2"},
        "90210": {"90210", "mx-dev-3"},
        "mx-ben": {"mx-ben", "mx-d-9"},
        "mx-cat": {"mx-cat", "mx-d-10", "mx-d-11"},
        "mx-d-12": {"mx-d-12"},
        "mx-eve": {"mx-eve", "mx-dev-5"},
        "mx-fay": {"mx-fay", "mx-dev-6"},
        "mx-gil": {"mx-gil", "mx-dev-7"},
        "mx-dev-8": {"mx-dev-8"},
    }


def test_sessions_of_mixpanel(exports: Exports) -> None:
    assert exports.sessions("mixpanel") == [
        ("90210", "04 12:00:00", 3),
        ("mx-amy", "04 10:00:00", 5),
        ("mx-ben", "04 13:00:00", 4),
        ("mx-cat", "04 14:00:00", 3),
        ("mx-d-12", "04 15:00:00", 1),
        ("mx-dev-2", "04 11:00:00", 1),
        ("mx-dev-8", "04 19:00:00", 1),
        ("mx-eve", "04 16:00:00", 2),
        ("mx-fay", "04 17:00:00", 2),
        ("mx-gil", "04 18:00:00", 2),
    ]


def test_rejected_rows_of_mixpanel(exports: Exports) -> None:
    # Copies are equal in $insert_id, event, distinct_id and second: other processing times and milliseconds make no other event. The
    # zero UUID is no device, ad spend has no distinct_id by design, and a row without $insert_id has no id.
    assert exports.rejected("mixpanel") == [
        ("", "no_event_id"),
        ("hpuDqcvpltpCjBse-03", "duplicate_event_id"),
        ("hpuDqcvpltpCjBse-08", "no_identity"),
        ("hpuDqcvpltpCjBse-09", "no_identity"),
        ("ori-03", "duplicate_event_id"),
    ]


def test_columns_of_mixpanel(exports: Exports) -> None:
    (sign_up,) = exports.query(
        """select event_type, event, url, referrer, utm_source, country, os, event_sequence from core.events
        where source = 'mixpanel' and user_id = 'mx-amy' and event = 'Sign Up'"""
    )
    url = "https://shop.example/?utm_source=news"
    assert sign_up == ("track", "Sign Up", url, "https://www.google.com/", "news", "DE", "Mac OS X", 1709546700900)
    (own,) = exports.query(
        """select os, properties ->> '$.os', properties ->> '$.user_id' from core.events
        where source = 'mixpanel' and user_id = 'mx-gil'"""
    )
    assert own == ("Mac OS X", "a custom one", "77")
    # One $insert_id, two events.
    named = exports.query(
        "select event from core.events where source = 'mixpanel' and event_id like '%hpuDqcvpltpCjBse-03%' order by 1"
    )
    assert named == [("Purchase",), ("Receipt Sent",)]


def test_names_of_mixpanels_json_pipelines(exports: Exports) -> None:
    named = exports.query(
        "select event, country, os, url from core.events where event_id like '%pipe-0%' order by timestamp"
    )
    assert named == [("Page View", "FR", "iOS", "https://shop.example/p"), ("Sign Up", "FR", "iOS", None)]


# Measure.js has one table. Two identical rows without an event_id are two events; two of one event_id are copies. mj-dan logs in on
# mj-c-1, also uses mj-c-2, and has a row without a client at 14:00+01:00. 123456789 is a number, one with a fraction and a text, its times
# are seconds, milliseconds and microseconds. "guest" is nobody, so mj-c-3 is itself. mj-c-4 comes after exactly 30 minutes, and
# then a microsecond more.
def test_people_of_measure_js(exports: Exports) -> None:
    assert exports.people("measure_js") == {
        "mj-dan": {"mj-dan", "mj-c-1", "mj-c-2"},
        "123456789": {"123456789"},
        "mj-c-3": {"mj-c-3"},
        "mj-c-4": {"mj-c-4"},
    }


def test_sessions_of_measure_js(exports: Exports) -> None:
    assert exports.sessions("measure_js") == [
        ("123456789", "04 11:00:00", 3),
        ("mj-c-3", "04 12:00:00", 1),
        ("mj-c-4", "04 13:00:00", 2),
        ("mj-c-4", "04 14:00:00", 1),
        ("mj-dan", "04 10:00:00", 4),
        ("mj-dan", "04 13:00:00", 1),
    ]
    per_client = exports.query(
        """select client_id, strftime(session_start, '%H:%M'), total_events, pageviews, user_id from measure_js.sessions
        where client_id like 'mj-%' order by all"""
    )
    assert per_client == [
        ("mj-c-1", "10:00", 3, 2, "mj-dan"),
        ("mj-c-2", "10:20", 1, 1, "mj-dan"),
        ("mj-c-3", "12:00", 1, 1, None),
        ("mj-c-4", "13:00", 2, 1, None),
        ("mj-c-4", "14:00", 1, 0, None),
        ("mj-dan", "13:00", 1, 1, "mj-dan"),
    ]


def test_rejected_rows_of_measure_js(exports: Exports) -> None:
    reasons = [reason for _, reason in exports.rejected("measure_js")]
    assert sorted(reasons) == ["duplicate_event_id", "no_identity", "no_timestamp"]
