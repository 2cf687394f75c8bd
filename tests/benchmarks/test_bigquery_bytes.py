"""What statements read of which table, for the estimate of BigQuery's bytes."""

from __future__ import annotations

from datetime import timedelta

from benchmarks.bigquery_bytes import A_DAY, IN_ALL, Estimate, Read
from benchmarks.bigquery_run import FIRST_DAY, Caught

EVENTS, GRAPH, STATE = (
    "demo.shop_core.events",
    "demo.shop_core.identity_graph",
    "demo.shop_internal.session_events__state",
)
SHOWN = "demo.shop_rudderstack.shown"
DAYS = 10
LAST = FIRST_DAY + timedelta(days=DAYS - 1)


def estimate() -> Estimate:
    whole = [
        f"create or replace table {EVENTS}\npartition by event_date\nas select 1",
        f"create or replace view {SHOWN}\noptions()\nas select event_id, url, event_date from {EVENTS}",
    ]
    columns = {"event_id": "STRING", "url": "STRING", "timestamp": "TIMESTAMP", "event_date": "DATE"}
    tables = {EVENTS: columns, GRAPH: {"alias": "STRING", "dbt_visitor_id": "STRING"}, STATE: {"entity": "STRING"}}
    return Estimate(Caught(DAYS, whole, [], [], [], [], tables, {EVENTS: "event", GRAPH: "alias"}, {"events": EVENTS}))


def read(sql: str) -> list[tuple[str, list[str], int | None]]:
    return [(one.table, sorted(one.columns), one.days) for one in estimate().reads(sql)]


def test_columns_that_are_named_of_the_partitions_that_literals_leave() -> None:
    in_last = f"where event_date >= date '{LAST}'"
    # The day after the last one has rows when a run of it has written them.
    assert read(f"select event_id from (select * from {EVENTS} {in_last})") == [(EVENTS, ["event_date", "event_id"], 2)]
    assert read(f"select count(*) from {SHOWN} {in_last}") == [(EVENTS, ["event_date"], 2)]
    assert read(f"insert into x select alias from {GRAPH}") == [(GRAPH, ["alias"], None)]
    script = f"begin transaction; delete from {EVENTS} {in_last} and event_id in (select entity from {STATE}); commit transaction"
    all_columns = ["event_date", "event_id", "timestamp", "url"]
    assert read(script) == [(EVENTS, all_columns, 2), (STATE, ["entity"], None)]
    assert read(f"create or replace view v as select * from {EVENTS}") == []


def test_bytes_are_rows_by_widths() -> None:
    of_events = Read(EVENTS, frozenset({"event_id", "timestamp"}), 3)
    assert estimate().bytes_of(of_events) == 3 * A_DAY["event"] * (38 + 8)
    assert estimate().bytes_of(Read(GRAPH, frozenset({"alias"}), None)) == IN_ALL["alias"] * 38
