"""Every statement of runs, reports and tests: Google's analyzer takes it, and its literals bound each partitioned table to the window.

What the emulator takes silently (numbers for texts, tables made in a transaction, whole tables read) is found here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pytest
import sqlglot

from sessionization_dagster.landing import RawTable
from sessionization_dagster.report.folder import Folder
from sessionization_dagster.report.queries import QUESTIONS, Days
from tests.bigquery.analyzer import Analyzer
from tests.bigquery.driver import DATASET, BigQueryDriver, raw_dataset, recorded
from tests.bigquery.emulator import PROJECT
from tests.bigquery.pruning import Partitioning, Reference, references, report, unbounded
from tests.bigquery.pruning.scans import table_scans
from tests.bigquery.test_report import written
from tests.integration.metrics import DIMENSIONS, Metrics
from tests.oracle.model import RawRow, Settings

DAYS = [date(2024, 3, 1) + timedelta(days=offset) for offset in range(12)]
DAY = timedelta(days=1)
# The days of a report on all of them, where partitions begin long before.
REPORTED = Days.before(DAYS[-1] + DAY, earliest=date(2000, 1, 1))
SOURCES = ("rudderstack",)
# A table of the rows' one event, with its properties.
EVENT_TABLE = f"{PROJECT}.{raw_dataset('rudderstack')}.product_view"
# Tests that look further back than the window, and how far; each says so by a literal too.
LOOK_BACK = {
    "volume_anomaly": 56, "assert_event_ids_stand_on_one_date": 7, "rejected_share": 7,
    # Touches of the 30 days before count, and a day for the timezone.
    "analytics.attribution": 33,
}  # fmt: skip
# Read whole, as tables are that are looked up by person: some columns of one row per session, and per visitor and day.
WHOLE = ("analytics.visitors", "retention_weekly", "assert_visitors_add_up", "assert_visitors_are_new_once")
# A session may have begun on the day before, and a bound on a timestamp has a day to spare for the timezone.
SPARE_DAYS = 2
# Raw tables are divided by arrival: a clock that is ahead, the timezone and the load time's own day.
RAW_SPARE_DAYS = 3


@dataclass
class Sent:
    """Statements by run, those of analyses, metrics and a report, and what the warehouse held when they were over."""

    whole: list[str]
    daily: list[str]
    rerun: list[str]
    analyses: list[str]
    metrics: list[str]
    report: list[str]
    tables: dict[str, dict[str, str]]


def rows() -> list[RawRow]:
    """Visitors of every day; one who comes daily and logs in late, so that yesterday's events move."""
    calls = []
    for number, day in enumerate(DAYS):
        for source in SOURCES:
            noon = datetime.combine(day, datetime.min.time()) + timedelta(hours=12)
            table = "tracks" if source == "rudderstack" else "events"
            for visitor in ("daily", f"once{number}"):
                user = "anna" if visitor == "daily" and day == DAYS[-1] else None
                calls.append(
                    RawRow(
                        table=table, source=source, id=f"{source}{number}{visitor}", anonymous_id=visitor, user_id=user,
                        timestamp=noon, received_at=noon, event="product_view",
                    )
                )  # fmt: skip
    return calls


@pytest.fixture(scope="module")
def sent(endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Sent:
    """A build of 10 days, one more day, and a day on which an identity moves; the tests on the day in between."""
    named = "rudderstack=product_view"
    driver = BigQueryDriver(
        endpoint, Settings(sources=SOURCES), max_lateness_days=7, is_divided=True, event_tables=named, families=()
    )
    driver.land(rows())
    driver.send(f"create table `{EVENT_TABLE}` (id string, timestamp timestamp, received_at timestamp, price float64)")
    driver.divide(RawTable("rudderstack", "product_view", ()), "received_at")
    runs = []
    for first, last in ((DAYS[0], DAYS[-3]), (DAYS[-2], DAYS[-2]), (DAYS[-1], DAYS[-1])):
        with recorded() as statements:
            driver.run(first, last)
            if first == DAYS[-2]:
                assert set(driver.run_tests(first, last).values()) <= {"pass", "warn"}
        runs.append(list(statements))
    tables = driver.columns()
    command = ["compile", "--select", "resource_type:analysis"]
    results = driver.project.runner.invoke(command, driver.variables).result.results
    metrics = Metrics(driver.project)
    asked = [metrics.sql(metrics.names, [dimension]) for dimension in DIMENSIONS]
    with recorded() as report_queries:
        written(driver.warehouse, Folder(tmp_path_factory.mktemp("report")), REPORTED.first - DAY, REPORTED.last)
    whole, daily, rerun = runs
    return Sent(whole, daily, rerun, [result.node.compiled_code for result in results], asked, report_queries, tables)


def test_the_analyzer_takes_every_statement(sent: Sent) -> None:
    """In the order sent: what one makes is known to the next. Seeds and the identity graph's tables are not made by statements."""
    made = {_named(found) for text in sent.whole for found in _MAKES.findall(text)}
    given = {name: columns for name, columns in sent.tables.items() if name not in made}
    with Analyzer(given) as analyzer:
        complaints = [
            f"{error}\n{text[:2000]}"
            for text in (*sent.whole, *sent.daily, *sent.rerun, *sent.analyses, *sent.metrics, *sent.report)
            if (error := analyzer.analyze(text)) is not None
        ]
        assert not complaints, "\n\n".join(complaints[:3])
        assert len(sent.analyses) == 9
        assert len(sent.report) == len(QUESTIONS) + 1
        # The same analyzer refuses what is wrong.
        wrong = f"select 1 from `{PROJECT}.{DATASET}_core.events` where timestamp = event_date"
        assert "No matching signature" in (analyzer.analyze(wrong) or "")


def test_no_statement_reads_more_tables_than_can_be_planned(sent: Sent) -> None:
    """BigQuery refuses a statement of too many subqueries, whatever the data. A CTE that is read twice may count twice."""
    scans: dict[str, int] = {}
    for sql in {*sent.whole, *sent.daily, *sent.metrics, *sent.analyses}:
        for statement in sqlglot.parse(sql, dialect="bigquery"):
            if statement is not None:
                scans[sql] = scans.get(sql, 0) + table_scans(statement)
    assert max(scans.values()) > 20
    many = {sql[:200]: found for sql, found in scans.items() if found > 100}
    assert not many, many


def test_a_first_build_bounds_each_table_that_may_ask_for_it(sent: Sent) -> None:
    """With require_partition_filter a table refuses queries without a bound. Vendors' tables are read whole anyway."""
    reads = [read for found in _reads(sent, sent.whole).values() for read in found if ".vendor_" not in read.table]
    assert len(reads) > 50
    open_ones = unbounded(reads, ["lower"])
    assert not open_ones, "\n".join(f"{read.table}: {read.snippet}" for read in open_ones)


def test_a_daily_run_reads_the_partitions_of_its_day(sent: Sent, capsys: pytest.CaptureFixture[str]) -> None:
    """The stand-in for bytes billed: the literals that BigQuery leaves out partitions by."""
    found = _reads(sent, sent.daily)
    with capsys.disabled():
        print("\n" + report(found, DAYS[0], DAYS[-2]))
    window = DAYS[-2]
    complaints = []
    for name, reads in found.items():
        if any(whole in name for whole in WHOLE):
            continue
        for read in reads:
            spare = LOOK_BACK.get(name, RAW_SPARE_DAYS if ".vendor_" in read.table else SPARE_DAYS)
            if read.reads_days and (read.lower is None or read.lower < window - timedelta(days=spare)):
                complaints.append(f"{name}: {read.table} from {read.lower}: {read.snippet}")
    assert not complaints, "\n".join(complaints)
    assert sum(len(reads) for reads in found.values()) > 100


def test_an_identity_that_moves_is_looked_for_from_its_first_day(sent: Sent) -> None:
    """The last day's login takes all days of events along: statements reach back to the first of them, by literals."""
    found = _reads(sent, sent.rerun)
    open_ones = unbounded((read for reads in found.values() for read in reads), ["lower"])
    assert not open_ones, "\n".join(f"{read.table}: {read.snippet}" for read in open_ones)
    facts = [read for reads in found.values() for read in reads if read.table.endswith(".session_events")]
    assert min(read.lower for read in facts if read.lower) == DAYS[0]


def test_a_report_reads_the_partitions_of_its_days(sent: Sent) -> None:
    """Each query's literals bound its days on both sides. The identity graph has none. Rows without one are in null's partition."""
    found = [read for sql in sent.report for read in _reads(sent, [sql]).get(sql[:60], [])]
    # The cohorts of retention begin with the first Monday.
    assert {(read.lower, read.upper) for read in found if read.reads_days} == {
        (REPORTED.first, REPORTED.last), (REPORTED.first_monday, REPORTED.last),
    }  # fmt: skip
    assert {read.table for read in found if read.null_partition} == {f"{PROJECT}.{DATASET}_internal.events__set_aside"}
    open_ones = [sql for sql in sent.report if not any(_reads(sent, [sql]).values())]
    assert [re.findall(r"`demo`\.`\w+`\.`\w+`", sql) for sql in open_ones] == [
        [f"`{PROJECT}`.`{DATASET}_core`.`identity_graph`"] * 2
    ]


_MAKES = re.compile(
    r"create or replace table (\S+)|create or replace view (\S+)|create table if not exists (\S+)", re.I
)
_DIVIDED = re.compile(r"create or replace table (\S+)\s+partition by (?:timestamp_trunc\((\w+), day\)|(\w+))", re.I)
_VIEW = re.compile(r"create or replace view (\S+)\s+options\(\)\s+as(.*)", re.I | re.S)


def _named(groups: tuple[str, ...]) -> str:
    return next(group for group in groups if group).replace("`", "")


def _reads(sent: Sent, statements: list[str]) -> dict[str, list[Reference]]:
    """Dbt node (or a statement's beginning) -> the partitioned tables that it reads."""
    tables = {f"{PROJECT}.{DATASET}_core.identity_changes": Partitioning("partition_date")}
    for source in SOURCES:
        if source == "rudderstack":
            for table in (f"{PROJECT}.{raw_dataset(source)}.tracks", EVENT_TABLE):
                tables[table] = Partitioning("received_at", "TIMESTAMP")
    views = {}
    for text in (*sent.whole, *sent.daily):
        for name, moment, day in _DIVIDED.findall(text):
            tables[name.replace("`", "")] = Partitioning(day) if day else Partitioning(moment, "TIMESTAMP")
        for name, query in _VIEW.findall(text):
            views[name.replace("`", "")] = query
    found: dict[str, list[Reference]] = {}
    for text in statements:
        if _VIEW.search(text):
            continue  # makes a view, and reads nothing
        node = re.search(r'"(?:asset|check)": "([^"]+)"', text)
        found.setdefault(node[1] if node else text[:60], []).extend(references(text, tables, views))
    return found
