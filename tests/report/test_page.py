"""The page from rows: every number in its tables against a count by hand, empty and missing tables, names that want to break out."""

from __future__ import annotations

import random
import re
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from typing import Any

import pytest

from sessionization_dagster.report import charts
from sessionization_dagster.report.page import build_page
from sessionization_dagster.report.queries import TABLES, Days
from tests.report.reading import Report
from tests.report.tables import DAYS, HOSTILE, Rows, Tables, answers_of, random_tables

WRITTEN_AT = datetime(2024, 3, 21, 6, 30)


def page_of(tables: Tables, **options: Any) -> Report:
    html = build_page(answers_of(tables, **options), DAYS, "UTC", "0123abcd-run", WRITTEN_AT).html
    return Report(html)


@pytest.fixture(scope="module", params=range(3))
def tables(request: pytest.FixtureRequest) -> Tables:
    return random_tables(request.param)


@pytest.fixture(scope="module")
def report(tables: Tables) -> Report:
    return page_of(tables)


def shown(rows: Rows, column: str) -> Rows:
    return [row for row in rows if row[column] and DAYS.first <= row[column] <= DAYS.last]


def test_users_and_sessions_by_day(tables: Tables, report: Report) -> None:
    visits = {
        (row["event_date"], row["dbt_visitor_id"]) for row in shown(tables["rudderstack.dbt_track_facts"], "event_date")
    }
    users = Counter(day for day, _ in visits)
    sessions = Counter(
        row["session_start_date"] for row in shown(tables["rudderstack.dbt_session_duration"], "session_start_date")
    )
    expected = {f"{day}": (users[day], sessions[day]) for day in DAYS.all()}
    assert report.numbers("activity-1") == expected
    assert list(report.numbers("activity-1")) == sorted(expected, reverse=True)
    assert report.headlines["active_users"] == f"{len({visitor for _, visitor in visits}):,}"
    assert report.headlines["daily_active_users"] == f"{users.total() / len(DAYS.all()):,.1f}"
    assert report.headlines["sessions"] == f"{sessions.total():,}"
    assert {row["day"]: (row["line"], row["area"]) for row in report.drawn("activity-1")} == expected


def test_durations(tables: Tables, report: Report) -> None:
    minutes = [
        row["session_duration"] for row in shown(tables["rudderstack.dbt_session_duration"], "session_start_date")
    ]
    ends = {
        "one moment": 0,
        "under 1 min": 1,
        "1–5 min": 5,
        "5–15 min": 15,
        "15–30 min": 30,
        "30–60 min": 60,
        "1–2 h": 120,
    }
    expected = {name: 0 for name in [*ends, "2 h and more"]}
    for value in minutes:
        name = next((name for name, end in ends.items() if value < end or value == end == 0), "2 h and more")
        expected[name] += 1
    assert report.numbers("activity-2") == expected
    middle = round(median(minutes) * 60)
    assert report.headlines["median_session_minutes"] == f"{middle // 60} min {middle % 60} s"


def channel_rows(tables: Tables, *by: str, only: str | None = "human") -> dict[str, list[float]]:
    """What sessions came to, by the columns given: sessions, engaged, conversions, value."""
    found: dict[str, list[float]] = {}
    for row in shown(tables["analytics.channels_daily"], "date"):
        if only is None or row["traffic_type"] == only:
            sums = found.setdefault(" / ".join(row[column] for column in by), [0, 0, 0, 0])
            for place, column in enumerate(("sessions", "engaged_sessions", "conversions", "conversion_value")):
                sums[place] += row[column]
    return dict(sorted(found.items(), key=lambda item: (-item[1][0], item[0].encode())))


@pytest.mark.parametrize(
    ("figure", "by"), [("channels-1", ["channel_group"]), ("channels-2", ["touch_source", "touch_medium"])]
)
def test_where_sessions_come_from(tables: Tables, report: Report, figure: str, by: list[str]) -> None:
    found = channel_rows(tables, *by)
    total = sum(sums[0] for sums in found.values())
    expected = {
        name: [
            f"{sessions}", f"{100 * sessions / total:.1f}%", f"{100 * engaged / sessions:.1f}%", f"{conversions}", f"{value:,.2f}",
        ]
        for name, (sessions, engaged, conversions, value) in found.items()
    }  # fmt: skip
    said = {row[0]: row[1:] for row in report.tables[figure][1:]}
    assert len(said) == min(15, len(expected))
    assert said == {name: expected[name] for name in said}
    assert [int(row[0]) for row in said.values()] == sorted((int(sums[0]) for sums in found.values()), reverse=True)[
        : len(said)
    ]


def test_attribution(tables: Tables, report: Report) -> None:
    models = ("first_touch", "last_touch", "linear", "position_based", "time_decay")
    credits: dict[str, list[float]] = {}
    for row in shown(tables["analytics.attribution"], "conversion_date"):
        sums = credits.setdefault(row["channel_group"], [0.0] * 5)
        for place, model in enumerate(models):
            sums[place] += row[f"{model}_weight"]
    said = {row[0]: row[1:] for row in report.tables["channels-5"][1:]}
    assert said == {name: [f"{value:,.1f}" for value in sums] for name, sums in credits.items()}
    drawn = {(row["label"], row["kind"]): row["value"] for row in report.drawn("channels-5")}
    assert drawn["Direct", "Linear"] == pytest.approx(credits["Direct"][2])


def test_traffic_quality(tables: Tables, report: Report) -> None:
    names = {"human": "People", "bot": "Bots", "internal": "Internal", "suspect": "Suspect"}
    found = channel_rows(tables, "traffic_type", only=None)
    assert report.numbers("channels-3") == {names[kind]: int(sums[0]) for kind, sums in found.items()}


def test_new_and_returning_people(tables: Tables, report: Report) -> None:
    kinds = ("new", "returning", "resurrected")
    found = Counter((row["date"], row["lifecycle"]) for row in shown(tables["analytics.visitor_days"], "date"))
    assert report.numbers("channels-4") == {f"{day}": tuple(found[day, kind] for kind in kinds) for day in DAYS.all()}


def test_retention(tables: Tables, report: Report) -> None:
    def monday(day: date) -> date:
        return day - timedelta(days=day.weekday())

    first = {
        row["dbt_visitor_id"]: row["date"] for row in tables["analytics.visitor_days"] if row["lifecycle"] == "new"
    }
    visits = {
        (row["dbt_visitor_id"], monday(first[row["dbt_visitor_id"]]), monday(row["date"]))
        for row in shown(tables["analytics.visitor_days"], "date")
    }
    found = Counter((begun, (week - begun).days // 7) for _, begun, week in visits if begun >= DAYS.first)
    weeks = sorted({week for week, _ in found})
    last = max(number for _, number in found)
    assert report.numbers("channels-6") == {
        f"{week}": tuple(found[week, number] for number in range(last + 1)) for week in weeks
    }
    for cell in report.drawn("channels-6"):
        week = date.fromisoformat(cell["row"])
        assert cell["share"] == pytest.approx(found[week, cell["column"]] / found[week, 0])


@pytest.mark.parametrize(("figure", "column"), [("traffic-1", "url"), ("traffic-2", "country")])
def test_places(tables: Tables, report: Report, figure: str, column: str) -> None:
    groups: dict[str, Rows] = {}
    for row in shown(tables["measure_js.events_sessionated"], "event_date"):
        if row[column] is not None:
            # A page is an address without its query.
            name = row[column].partition("?")[0] if column == "url" else row[column]
            groups.setdefault(name, []).append(row)
    ranked = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0].encode()))[:15]
    assert report.numbers(figure) == {
        name: (len(rows), len({row["client_id"] for row in rows}), len({row["session_id"] for row in rows}))
        for name, rows in ranked
    }
    assert list(report.numbers(figure)) == [name for name, _ in ranked]
    whole = sum(map(len, groups.values()))
    assert [row[2] for row in report.tables[figure][1:]] == [f"{100 * len(rows) / whole:.1f}%" for _, rows in ranked]


def test_funnel(tables: Tables, report: Report) -> None:
    entries: Counter[str] = Counter()
    for row in shown(tables["core.funnel_daily"], "date"):
        entries[row["stage_name"]] += row["entries"]
    first, second, third = (entries[name] for name in HOSTILE[:3])
    assert report.tables["paths-1"][1:] == [
        [HOSTILE[0], f"{first:,}", "100.0%", "100.0%"],
        [HOSTILE[1], f"{second:,}", f"{100 * second / first:.1f}%", f"{100 * second / first:.1f}%"],
        [HOSTILE[2], f"{third:,}", f"{100 * third / first:.1f}%", f"{100 * third / second:.1f}%"],
    ]
    assert report.headlines["funnel_conversion_percent"] == f"{100 * third / first:.1f}%"


def test_journeys(tables: Tables, report: Report) -> None:
    paths: Counter[tuple[Any, ...]] = Counter()
    for row in shown(tables["rudderstack.dbt_tracks_flow"], "event_date"):
        if row["track_sequence_number"] == 1:
            paths[tuple(row[name] for name in ("event", "event_2", "event_3", "event_4", "event_5"))] += 1
    counts = [int(row[1].replace(",", "")) for row in report.tables["paths-2"][1:]]
    assert counts == [number for _, number in paths.most_common(12)]
    texts: Counter[str] = Counter()
    for path, number in paths.items():
        while len(path) > 1 and path[-1] is None:
            path = path[:-1]
        texts[" → ".join(name or "(no name)" for name in path)] = number
    assert all(texts[row[0]] == int(row[1].replace(",", "")) for row in report.tables["paths-2"][1:])


def test_identity(tables: Tables, report: Report) -> None:
    graph = tables["core.identity_graph"]
    users = {row["alias"] for row in graph if row["alias_type"] == "user_id"}
    devices = [row["dbt_visitor_id"] in users for row in graph if row["alias_type"] == "anonymous_id"]
    assert 0 < sum(devices) < len(devices)
    assert report.numbers("identity-1") == {
        "Linked to a user": sum(devices),
        "Not linked": len(devices) - sum(devices),
    }
    changes = Counter(row["partition_date"] for row in shown(tables["core.identity_changes"], "partition_date"))
    assert report.numbers("identity-2") == {f"{day}": (number, 1) for day, number in changes.items()}


def test_events_and_rejected_rows(tables: Tables, report: Report) -> None:
    events = shown(tables["core.events"], "event_date")
    by_source = Counter((f"{row['event_date']}", row["source"]) for row in events)
    assert report.numbers("quality-1", keys=2) == by_source
    rejected = [
        row
        for row in tables["core.rejected_events"]
        if row["event_date"] is None or DAYS.first <= row["event_date"] <= DAYS.last
    ]
    by_reason = Counter((f"{row['event_date'] or 'no day'}", row["reason"]) for row in rejected)
    assert report.numbers("quality-2", keys=2) == by_reason
    assert report.headlines["events"] == f"{len(events):,}"
    assert report.headlines["rejected_rows"] == f"{len(rejected):,}"
    newest = {row["source"]: row["timestamp"] for row in sorted(events, key=lambda row: row["timestamp"])}
    assert {row[0]: row[1] for row in report.tables["quality-3"][1:]} == {
        source: f"{at.day} {at:%B %Y, %H:%M} UTC" for source, at in newest.items()
    }


def test_hostile_names_stay_text_everywhere(report: Report) -> None:
    assert not report.tags & {"img", "iframe", "object", "embed", "b", "base", "form"}
    assert not [name for _, name, _ in report.attributes if name.startswith("on")]
    assert [attributes for attributes, _ in report.scripts] == [
        {"id": "charts", "type": "application/json"},
        {"id": "library", "type": "text/plain"},
        {},
    ]
    assert set(HOSTILE) <= set(report.numbers("traffic-2"))
    labels = {row["label"] for row in report.drawn("traffic-2")}
    assert set(HOSTILE) <= labels


def test_nothing_is_fetched(report: Report) -> None:
    addresses = [
        (tag, value) for tag, name, value in report.attributes if name in ("src", "href", "action", "srcset", "data")
    ]
    assert all(value.startswith("#") or value == "data:," for _, value in addresses), addresses
    (policy,) = [value for tag, name, value in report.attributes if tag == "meta" and value.startswith("default-src")]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy


def test_names_in_the_template_are_unique(report: Report) -> None:
    ids = [value for _, name, value in report.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    for _, name, value in report.attributes:
        if name == "aria-labelledby" or (name == "href" and value.startswith("#")):
            assert value.removeprefix("#") in ids


def test_empty_tables_are_reported() -> None:
    report = page_of({table: [] for table in TABLES})
    assert report.charts == {}
    assert report.tables == {}
    for figure, text in {
        "activity-1": "No session on these days",
        "activity-2": "No session started",
        "channels-1": "No session started on these days",
        "channels-2": "No session started on these days",
        "channels-5": "No conversion on these days",
        "channels-3": "No session started on these days",
        "channels-4": "Nobody was there on these days",
        "channels-6": "No week of new people begins",
        "traffic-1": "No event of these days carries a page's address",
        "traffic-2": "No event of these days carries a country",
        "paths-1": "Nobody entered the funnel",
        "paths-2": "No session on these days",
        "identity-1": "No device is known yet",
        "identity-2": "No id went from one person to another",
        "quality-1": "No event on these days",
        "quality-2": "No row was rejected",
        "quality-3": "No event on these days",
    }.items():
        assert text in report.texts[figure], figure


def test_each_missing_table_or_column_is_named_and_the_rest_is_there() -> None:
    whole = random_tables(0)
    everything = page_of(whole)
    for table in TABLES:
        report = page_of({name: rows for name, rows in whole.items() if name != table})
        said = [figure for figure, text in report.texts.items() if f"Not there yet: {table}" in text]
        assert said, table
        assert set(report.tables) == set(everything.tables) - set(said)
    report = page_of(whole, without={"measure_js.events_sessionated": "country"})
    assert "Not there yet: measure_js.events_sessionated.country" in report.texts["traffic-2"]
    assert report.tables["traffic-1"] == everything.tables["traffic-1"]
    nothing = page_of({})
    assert nothing.tables == {}
    assert set(nothing.headlines.values()) == {"–"}


def test_a_shorter_flow_gives_shorter_journeys() -> None:
    path = {"event": "a", "event_2": "b", "event_3": None, "event_4": "d", "event_5": "e"}
    rows = [{"event_date": DAYS.last, "track_sequence_number": 1, **path}]
    whole = page_of({"rudderstack.dbt_tracks_flow": rows})
    assert whole.tables["paths-2"][1:] == [["a → b → (no name) → d → e", "1", "100.0%"]]
    shorter = page_of({"rudderstack.dbt_tracks_flow": rows}, without={"rudderstack.dbt_tracks_flow": "event_5"})
    assert shorter.tables["paths-2"][1:] == [["a → b → (no name) → d", "1", "100.0%"]]


def test_pages_of_one_site_are_drawn_by_their_path() -> None:
    def drawn(urls: list[str]) -> list[str]:
        rows = [{"event_date": DAYS.last, "url": url, "client_id": "c", "session_id": "s"} for url in urls]
        return [row["label"] for row in page_of({"measure_js.events_sessionated": rows}).drawn("traffic-1")]

    assert drawn(["https://a.example/x", "https://a.example/"]) == ["/", "/x"]
    mixed = ["https://a.example/x", "https://b.example/x"]
    assert drawn(mixed) == mixed
    assert drawn(["https://a.example", "https://a.example/x"]) == ["https://a.example", "https://a.example/x"]


@pytest.mark.parametrize(("count", "labels"), [(1, 1), (3, 3), (6, 6), (7, 4), (90, 6)])
def test_a_day_has_at_most_one_label_on_the_axis(count: int, labels: int) -> None:
    days = [date(2024, 2, 28) + timedelta(days=number) for number in range(count)]
    bars = charts.stacked_days([(days[0], "rows", 1.0)], days, "rows", "source")
    lines = charts.line_over_area("sessions", "events", [(day, 1.0, 2.0) for day in days])["layer"][0]
    for spec in (bars, lines):
        values = spec["encoding"]["x"]["axis"]["values"]
        shown = [datetime.fromtimestamp(value / 1000, UTC) for value in values]
        assert [moment.time() for moment in shown] == [time()] * labels
        assert len({moment.date() for moment in shown} & set(days)) == labels


def test_the_days_end_with_the_run_and_are_at_most_ninety() -> None:
    assert Days.before(date(2024, 6, 30), earliest=date(2024, 1, 4)) == Days(date(2024, 4, 1), date(2024, 6, 29))
    assert len(Days.before(date(2024, 6, 30), earliest=date(2024, 1, 4)).all()) == 90
    assert Days.before(date(2024, 1, 6), earliest=date(2024, 1, 4)) == Days(date(2024, 1, 4), date(2024, 1, 5))


def test_the_page_is_small_and_the_same_again() -> None:
    answers = answers_of(random_tables(0))
    pages = [build_page(answers, DAYS, "UTC", "0123abcd-run", WRITTEN_AT).html for _ in range(2)]
    assert pages[0] == pages[1]
    assert len(pages[0].encode()) < 700_000
    assert re.search(r"Written 21 March 2024, 06:30 UTC by run 0123abcd-run", pages[0])
    later = build_page(answers, DAYS, "UTC", "0123abcd-run", WRITTEN_AT + timedelta(minutes=1)).html
    assert later != pages[0]


def test_the_order_of_the_rows_changes_no_number() -> None:
    tables, draw = random_tables(0), random.Random(0)
    for row in tables["analytics.attribution"]:
        row["linear_weight"], row["time_decay_weight"] = draw.randrange(9) / 3, draw.random()
    for row in tables["analytics.channels_daily"]:
        row["conversion_value"] = draw.randrange(100_000) / 100
    for row in tables["rudderstack.dbt_session_duration"]:
        row["session_duration"] = draw.random()
    one, other = page_of(tables), page_of({table: draw.sample(rows, len(rows)) for table, rows in tables.items()})
    assert other.tables == one.tables
    assert other.charts == one.charts
    assert other.headlines == one.headlines
