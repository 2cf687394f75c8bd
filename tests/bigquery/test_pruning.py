"""What a statement's text says about the partitions that it reads: one rule of the reader a case."""

from __future__ import annotations

from datetime import date

import pytest

from tests.bigquery.pruning import Partitioning, Reference, references, report, unbounded

TABLES = {
    "p.d_core.events": Partitioning("event_date"),
    "p.d_core.visits": Partitioning("visit_date"),
    "p.d_raw.tracks": Partitioning("received_at", "TIMESTAMP"),
}
VIEWS = {"p.d_core.recent": "select *, 1 as one from p.d_core.events where event_date >= date '2024-01-02'"}


def read(sql: str) -> list[str]:
    """Each reference as `table from..to null`."""
    return [_shown(reference) for reference in references(sql, TABLES, VIEWS)]


def _shown(reference: Reference) -> str:
    lower, upper = reference.lower or "", reference.upper or ""
    days = f"{lower}..{upper}" if reference.reads_days else "none"
    return f"{reference.table.rpartition('.')[2]} {days}{' null' if reference.null_partition else ''}"


EVENTS = "from p.d_core.events where"
ALL = "events .. null"

CONDITIONS = {
    "event_date >= date '2024-01-02'": "events 2024-01-02..",
    "event_date > date '2024-01-02'": "events 2024-01-03..",
    "event_date < date '2024-01-02'": "events ..2024-01-01",
    "event_date <= date '2024-01-02'": "events ..2024-01-02",
    "event_date = date '2024-01-02'": "events 2024-01-02..2024-01-02",
    "date '2024-01-02' <= event_date": "events 2024-01-02..",
    "date '2024-01-02' > event_date": "events ..2024-01-01",
    "event_date >= '2024-01-02'": "events 2024-01-02..",
    "event_date >= cast('2024-01-02' as date)": "events 2024-01-02..",
    "event_date >= date('2024-01-02')": "events 2024-01-02..",
    "events.event_date >= (date '2024-01-02')": "events 2024-01-02..",
    "EVENT_DATE >= DATE '2024-01-02'": "events 2024-01-02..",
    "event_date between date '2024-01-02' and date '2024-01-04'": "events 2024-01-02..2024-01-04",
    "event_date in (date '2024-01-04', date '2024-01-02')": "events 2024-01-02..2024-01-04",
    "event_date >= date '2024-01-02' and event_date < date '2024-01-05' and name = 'x'": "events 2024-01-02..2024-01-04",
    "event_date >= date '2024-01-02' and event_date >= date '2024-01-03'": "events 2024-01-03..",
    "(event_date = date '2024-01-02' or event_date = date '2024-01-04') and name = 'x'": "events 2024-01-02..2024-01-04",
    "event_date = date '2024-01-02' or event_date > date '2024-01-04'": "events 2024-01-02..",
    "event_date >= date '2024-01-02' or event_date is null": "events 2024-01-02.. null",
    "(event_date = date '2024-01-02') or event_date is null": "events 2024-01-02..2024-01-02 null",
    "event_date is null": "events none null",
    "event_date is not null": "events ..",
    "event_date = date '2024-01-02' and event_date = date '2024-01-03'": "events none",
    "event_date > date '2024-01-02' and event_date < date '2024-01-03'": "events none",
    "event_date is null and event_date = date '2024-01-02'": "events none",
    "false": "events none",
    "false or event_date = date '2024-01-02'": "events 2024-01-02..2024-01-02",
    # What bounds nothing.
    "true": ALL,
    "name = 'x'": ALL,
    "event_date = date '2024-01-02' or name = 'x'": ALL,
    "not event_date = date '2024-01-02'": ALL,
    "event_date not in (date '2024-01-02')": ALL,
    "event_date not between date '2024-01-02' and date '2024-01-04'": ALL,
    "event_date != date '2024-01-02'": ALL,
    "event_date in (date '2024-01-02', other_date)": ALL,
    "event_date in (select visit_date from p.d_core.nothing)": ALL,
    "event_date in unnest([date '2024-01-02'])": ALL,
    "event_date >= other_date": ALL,
    "event_date >= current_date()": ALL,
    "event_date >= @from_date": ALL,
    "event_date >= date_sub(date '2024-01-02', interval 1 day)": ALL,
    "date_trunc(event_date, month) = date '2024-01-01'": ALL,
    "coalesce(event_date, date '2024-01-02') >= date '2024-01-02'": ALL,
    "if(name = 'x', event_date >= date '2024-01-02', true)": ALL,
    "other.event_date >= date '2024-01-02'": ALL,
    "event_date >= datetime '2024-01-02'": ALL,
    "event_date >= 'soon'": ALL,
    "event_date >= date '2024-01-02' is true": ALL,
}


@pytest.mark.parametrize("condition", CONDITIONS)
def test_conditions(condition: str) -> None:
    assert read(f"select name {EVENTS} {condition}") == [CONDITIONS[condition]]


INSTANTS = {
    "received_at >= timestamp '2024-01-02 05:00:00'": "tracks 2024-01-02..",
    "received_at < timestamp '2024-01-03 00:00:00'": "tracks ..2024-01-02",
    "received_at < timestamp '2024-01-03 00:00:01'": "tracks ..2024-01-03",
    "received_at <= timestamp '2024-01-03 00:00:00'": "tracks ..2024-01-03",
    "received_at > timestamp '2024-01-02 23:59:59.999999'": "tracks 2024-01-03..",
    "received_at >= timestamp '2024-01-02 23:00:00-05:00'": "tracks 2024-01-03..",
    "received_at >= timestamp '2024-01-02 00:00:00 UTC'": "tracks 2024-01-02..",
    "received_at >= timestamp('2024-01-02')": "tracks 2024-01-02..",
    "received_at >= cast('2024-01-02T00:00:00Z' as timestamp)": "tracks 2024-01-02..",
    "received_at >= timestamp('2024-01-02', 'Europe/Berlin')": "tracks .. null",
    "received_at >= timestamp '2024-01-02 00:00:00 Europe/Berlin'": "tracks .. null",
    "date(received_at) >= date '2024-01-02'": "tracks .. null",
}


@pytest.mark.parametrize("condition", INSTANTS)
def test_instants(condition: str) -> None:
    assert read(f"select 1 from p.d_raw.tracks where {condition}") == [INSTANTS[condition]]


FROM_2ND = "where event_date >= date '2024-01-02'"
BOUNDED = ["events 2024-01-02.."]

STATEMENTS = {
    # Names.
    f"select 1 from `p.d_core.events` {FROM_2ND}": BOUNDED,
    f"select 1 from `p`.`d_core`.`events` {FROM_2ND}": BOUNDED,
    f"select 1 from d_core.events {FROM_2ND}": BOUNDED,
    "select 1 from p.d_core.events as e where e.event_date >= date '2024-01-02'": BOUNDED,
    "select 1 from p.d_core.events as e where events.event_date >= date '2024-01-02'": [ALL],
    "select 1 from p.d_core.unpartitioned where event_date >= date '2024-01-02'": [],
    "select 1 from events where event_date >= date '2024-01-02'": [],
    # Subqueries in FROM, on columns that pass through.
    f"select * from (select * from p.d_core.events) {FROM_2ND}": BOUNDED,
    f"select * from (select event_date from p.d_core.events) as x {FROM_2ND}": BOUNDED,
    f"select * from (select e.event_date, 1 as one from p.d_core.events as e) {FROM_2ND}": BOUNDED,
    f"select * from (select e.*, 1 as one from p.d_core.events as e) {FROM_2ND}": BOUNDED,
    "select * from (select event_date as d from p.d_core.events) as x where x.d >= date '2024-01-02'": BOUNDED,
    f"select * from (select * from (select * from p.d_core.events)) {FROM_2ND}": BOUNDED,
    f"select * from (select * from p.d_core.events where event_date < date '2024-01-05') {FROM_2ND}": [
        "events 2024-01-02..2024-01-04"
    ],
    f"select * from (select other as event_date from p.d_core.events) {FROM_2ND}": [ALL],
    f"select * from (select event_date + 1 as event_date from p.d_core.events) {FROM_2ND}": [ALL],
    f"select * from (select * replace (event_date + 1 as event_date) from p.d_core.events) {FROM_2ND}": [ALL],
    f"select * from (select * except (event_date), other as event_date from p.d_core.events) {FROM_2ND}": [ALL],
    # Where rows are grouped, numbered or cut off, a condition on the outcome is not a condition on the rows.
    f"select * from (select event_date, count(*) as n from p.d_core.events group by event_date) {FROM_2ND}": [ALL],
    f"select * from (select max(event_date) as event_date from p.d_core.events) {FROM_2ND}": [ALL],
    f"select * from (select *, lag(name) over (order by name) as l from p.d_core.events) {FROM_2ND}": [ALL],
    f"select * from (select * from p.d_core.events qualify row_number() over (order by name) = 1) {FROM_2ND}": [ALL],
    f"select * from (select * from p.d_core.events limit 3) {FROM_2ND}": [ALL],
    f"select * from (select distinct event_date from p.d_core.events) {FROM_2ND}": [ALL],
    "select 1 from p.d_core.events group by event_date having event_date >= date '2024-01-02'": [ALL],
    "select 1 from p.d_core.events qualify event_date >= date '2024-01-02'": [ALL],
    f"select event_date, lag(name) over (order by name) from p.d_core.events {FROM_2ND}": BOUNDED,
    f"select * from (select event_date from p.d_core.events group by event_date) {FROM_2ND}": [ALL],
    f"select * from (select event_date, sum(a) over () as a from p.d_core.events) {FROM_2ND}": [ALL],
    f"select * from (select event_date, (select max(b) over () from y limit 1) as b from p.d_core.events) {FROM_2ND}": BOUNDED,
    # Common table expressions: each place that names one reads it.
    f"with e as (select * from p.d_core.events) select * from e {FROM_2ND}": BOUNDED,
    f"with e as (select * from p.d_core.events {FROM_2ND}), f as (select * from e) select * from f": BOUNDED,
    "with e as (select * from p.d_core.events), f as (select * from e) select * from f as g where g.event_date = '2024-01-02'": [
        "events 2024-01-02..2024-01-02"
    ],
    f"with e as (select * from p.d_core.events) select 1 from e {FROM_2ND} union all select 1 from e": [*BOUNDED, ALL],
    "with e as (select * from p.d_core.events) select 1": [],
    f"with events as (select 1 as event_date) select * from events {FROM_2ND}": [],
    f"select * from (with e as (select * from p.d_core.events) select * from e) {FROM_2ND}": BOUNDED,
    "with recursive r as (select event_date from p.d_core.events union all select event_date from r) "
    f"select * from r {FROM_2ND}": [ALL],
    "with recursive a as (select * from b), b as (select * from p.d_core.events) select * from a": [ALL],
    # Unions.
    f"select 1 from p.d_core.events {FROM_2ND} union all select 1 from p.d_core.visits": [*BOUNDED, "visits .. null"],
    "select * from (select event_date as d from p.d_core.events union all select visit_date from p.d_core.visits) "
    "where d >= date '2024-01-02'": ["events 2024-01-02..", "visits 2024-01-02.."],
    "select * from (select 1, event_date as d from p.d_core.events union all select visit_date, 1 from p.d_core.visits) "
    "where d >= date '2024-01-02'": ["events 2024-01-02..", "visits .. null"],
    "with e as (select event_date as d from p.d_core.events), v as (select visit_date as d from p.d_core.visits), "
    "u as (select * from e union all select * from v) select * from u where d >= date '2024-01-02'": [
        "events 2024-01-02..",
        "visits 2024-01-02..",
    ],
    f"select * from (select * from p.d_core.events union all select * from p.d_core.visits) {FROM_2ND}": [
        "events 2024-01-02..",
        "visits .. null",
    ],
    f"select * from (select event_date from p.d_core.events union distinct select visit_date from p.d_core.visits) {FROM_2ND}": [
        ALL,
        "visits .. null",
    ],
    f"select * from (select event_date from p.d_core.events except distinct select visit_date from p.d_core.visits) {FROM_2ND}": [
        ALL,
        "visits .. null",
    ],
    "with e as (select 1 as a, event_date as d from p.d_core.events) select * from "
    "(select * except (a) from e union all select visit_date from p.d_core.visits) where d >= date '2024-01-02'": [
        "events 2024-01-02..",
        "visits 2024-01-02..",
    ],
    "with e as (select event_date as d from p.d_core.events) select * from "
    "(select * from e join x on true union all select visit_date from p.d_core.visits) where d >= date '2024-01-02'": [
        "events 2024-01-02..",
        "visits .. null",
    ],
    "with events as (select 1 as d) select * from "
    "(select * from p.d_core.events union all select visit_date from p.d_core.visits) where d >= date '2024-01-02'": [
        ALL,
        "visits .. null",
    ],
    "select * from (select event_date as d, a from p.d_core.events union all by name "
    "select visit_date as a, d from p.d_core.visits) where d >= date '2024-01-02'": [ALL, "visits .. null"],
    "select * from (select event_date as d, a from p.d_core.events union all select visit_date from p.d_core.visits) "
    "where d >= date '2024-01-02'": ["events 2024-01-02..", "visits .. null"],
    # Joins.
    "select 1 from p.d_core.events as e join p.d_core.visits as v on e.event_date = v.visit_date "
    "where e.event_date >= date '2024-01-02'": ["events 2024-01-02..", "visits .. null"],
    f"select 1 from p.d_core.events join p.d_core.visits on true {FROM_2ND}": ["events 2024-01-02..", "visits .. null"],
    "select 1 from p.d_core.events as e, p.d_core.visits as v where visit_date = '2024-01-02' and event_date = '2024-01-03'": [
        "events 2024-01-03..2024-01-03",
        "visits 2024-01-02..2024-01-02",
    ],
    "select 1 from x join p.d_core.events as e on x.a = e.a and e.event_date >= date '2024-01-02'": BOUNDED,
    "select 1 from x left join p.d_core.events as e on x.a = e.a and e.event_date >= date '2024-01-02'": BOUNDED,
    "select 1 from x left join p.d_core.events as e on x.a = e.a where e.event_date >= date '2024-01-02'": [ALL],
    "select 1 from p.d_core.events as e left join x on x.a = e.a and e.event_date >= date '2024-01-02'": [ALL],
    "select 1 from p.d_core.events as e left join x on x.a = e.a where e.event_date >= date '2024-01-02'": BOUNDED,
    "select 1 from p.d_core.events as e right join x on x.a = e.a and e.event_date >= date '2024-01-02'": BOUNDED,
    "select 1 from p.d_core.events as e right join x on x.a = e.a where e.event_date >= date '2024-01-02'": [ALL],
    "select 1 from p.d_core.events as e full join x on x.a = e.a where e.event_date >= date '2024-01-02'": [ALL],
    "select 1 from x full join p.d_core.events as e on x.a = e.a and e.event_date >= date '2024-01-02'": [ALL],
    f"select 1 from p.d_core.events cross join unnest(items) as item {FROM_2ND}": BOUNDED,
    "select 1 from x left join p.d_core.events using (event_date) where event_date >= date '2024-01-02'": [ALL],
    f"select 1 from p.d_core.events left join x using (event_date) {FROM_2ND}": BOUNDED,
    f"select 1 from x join p.d_core.events using (event_date) {FROM_2ND}": [ALL],
    f"select * from (select e.event_date from p.d_core.events as e left join x on true) {FROM_2ND}": BOUNDED,
    f"select * from (select e.event_date from x left join p.d_core.events as e on true) {FROM_2ND}": [ALL],
    f"select 1 from (p.d_core.events join x on true) {FROM_2ND}": [ALL],
    "select 1 from x full join p.d_core.events as e on x.a = e.a where e.event_date >= date '2024-01-02'": [ALL],
    f"select * from (select x.* from x join p.d_core.events as e on true) {FROM_2ND}": [ALL],
    # Subqueries in expressions.
    "select 1 from x where exists (select 1 from p.d_core.events as e where e.a = x.a and e.event_date >= '2024-01-02')": BOUNDED,
    "select 1 from x where event_date >= '2024-01-02' and exists (select 1 from p.d_core.events as e where e.a = x.a)": [
        ALL
    ],
    f"select (select max(a) from p.d_core.events {FROM_2ND}) as a, array(select a from p.d_core.visits)": [
        *BOUNDED,
        "visits .. null",
    ],
    f"select 1 from x where a in (select a from p.d_core.events {FROM_2ND})": BOUNDED,
    "select 1 from x join y on x.a in (select a from p.d_core.events)": [ALL],
    "select 1 from x order by (select max(a) from p.d_core.events)": [ALL],
    f"select 1 from unnest(array(select a from p.d_core.events {FROM_2ND}))": BOUNDED,
    # Views.
    "select * from p.d_core.recent where event_date < date '2024-01-05' and one = 1": ["events 2024-01-02..2024-01-04"],
    f"select * from p.d_core.events tablesample system (10 percent) {FROM_2ND}": [ALL],
    # What changes tables.
    f"delete from p.d_core.events {FROM_2ND}": BOUNDED,
    "delete p.d_core.events as e where e.event_date >= date '2024-01-02'": BOUNDED,
    "delete from p.d_core.events where true": [ALL],
    f"delete from p.d_core.events {FROM_2ND} and exists (select 1 from p.d_core.visits as v where v.a = events.a)": [
        *BOUNDED,
        "visits .. null",
    ],
    "update p.d_core.events set a = 1 from p.d_core.visits as v where event_date = '2024-01-02' and v.a = events.a": [
        "events 2024-01-02..2024-01-02",
        "visits .. null",
    ],
    f"insert into p.d_core.visits (a) select a from p.d_core.events {FROM_2ND}": BOUNDED,
    f"insert into p.d_core.visits (a) with e as (select * from p.d_core.events) select a from e {FROM_2ND}": BOUNDED,
    "insert into p.d_core.visits (a) values (1)": [],
    f"create or replace table p.d_core.visits partition by visit_date as select a from p.d_core.events {FROM_2ND}": BOUNDED,
    f"create or replace view p.d_core.v as select a from p.d_core.events {FROM_2ND}": [],
    "merge p.d_core.events as t using (select * from p.d_core.visits where visit_date = '2024-01-02') as s on t.a = s.a "
    "when not matched then insert (a) values (a)": [ALL, "visits 2024-01-02..2024-01-02"],
    "drop table p.d_core.events": [],
    "truncate table p.d_core.events": [],
    # Scripts.
    f"""begin transaction; -- a ';' in a comment; delete from p.d_core.visits
        delete from p.d_core.events {FROM_2ND} and name != ';' and note != '''it's;''';
        insert into p.d_core.events (a) select 1 from p.d_raw.tracks where received_at < timestamp '2024-01-03'; commit transaction;""": [
        *BOUNDED,
        "tracks ..2024-01-02",
    ],
    "declare d date default (select max(event_date) from p.d_core.events); select 1 from p.d_core.visits where visit_date >= d": [
        ALL,
        "visits .. null",
    ],
    f"declare a, b int64; set a = (select 1 from p.d_core.events {FROM_2ND}); set (a, b) = (select (1, 2) from p.d_core.visits)": [
        *BOUNDED,
        "visits .. null",
    ],
    f"""if case when exists (select 1 from p.d_core.events {FROM_2ND}) then true else false end then
          select 1 from p.d_core.visits; elseif (select true from p.d_raw.tracks) then select 1; else select 1 from p.d_core.events;
        end if;""": [*BOUNDED, "visits .. null", "tracks .. null", ALL],
    f"begin select 1 from p.d_core.events {FROM_2ND}; exception when error then select 1 from p.d_core.visits; end;": [
        *BOUNDED,
        "visits .. null",
    ],
    f"while (select true from p.d_core.events) do select 1 from p.d_core.events {FROM_2ND}; end while": [ALL, *BOUNDED],
    f"for r in (select 1 from p.d_core.events {FROM_2ND}) do select r.x; end for": BOUNDED,
    f"repeat select 1; until (select true from p.d_core.events {FROM_2ND}) end repeat": BOUNDED,
    "if 'then' = r'do' then select 1 from p.d_core.events; end if": [ALL],
    # What cannot be read reads all that it names.
    f"select 1 from p.d_core.events for system_time as of timestamp '2024-01-01' as e {FROM_2ND}": [ALL],
    "export data options (uri = 'x') as select 1 from p.d_core.events": [ALL],
    "call p.d_core.refresh()": [],
}


@pytest.mark.parametrize("sql", STATEMENTS)
def test_statements(sql: str) -> None:
    assert read(sql) == STATEMENTS[sql]


def test_open_sides() -> None:
    closed, half, null, whole = references(
        f"select 1 {EVENTS} event_date = '2024-01-02'; select 1 {EVENTS} event_date >= '2024-01-02';"
        f"select 1 {EVENTS} event_date is null; select 1 {EVENTS} true",
        TABLES,
    )
    assert unbounded([closed, half, null, whole]) == [half, whole]
    assert unbounded([closed, half, null, whole], sides=["lower"]) == [whole]


def test_days_read() -> None:
    (half,) = references(f"select 1 {EVENTS} event_date >= '2024-01-02'", TABLES)
    (null,) = references(f"select 1 {EVENTS} event_date is null", TABLES)
    assert half.days() is None
    assert half.days(date(2024, 1, 1), date(2024, 1, 4)) == 3
    assert half.days(date(2023, 1, 1), date(2023, 1, 4)) == 0
    assert null.days() == 0


def test_a_report() -> None:
    found = references(f"select 1 {EVENTS} event_date >= '2024-01-02' or event_date is null", TABLES)
    lines = report({"model.x": found, "model.nothing": []}, date(2024, 1, 1), date(2024, 1, 3)).splitlines()
    assert lines[0].split() == ["statement", "table", "from", "to", "days", "null", "where"]
    assert lines[1].split()[:6] == ["model.x", "p.d_core.events", "2024-01-02", "..", "2", "null"]
    assert lines[1].endswith("SELECT 1 FROM p.d_core.events WHERE event_date >= '2024-01-02' OR event_date IS NULL")
    assert len(lines) == 2


def test_a_long_snippet_is_cut() -> None:
    (reference,) = references(f"select {', '.join(['name'] * 100)} {EVENTS} true", TABLES)
    assert len(reference.snippet) == 160
    assert reference.snippet.endswith("...")
