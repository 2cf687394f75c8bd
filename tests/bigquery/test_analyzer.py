"""What the analyzer takes and what it refuses, so that its word on the project's own statements means something."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bigquery.analyzer import Analyzer

TABLES = {
    "shop-project.shop_core.events": {
        "event_id": "STRING",
        "event_date": "DATE",
        "timestamp": "TIMESTAMP",
        "position": "INTEGER",
        "properties": "JSON",
        "items": "ARRAY<STRUCT<`float` STRING, price FLOAT>>",
    },
    "shop-project.shop_core.sessions": {"session_id": "STRING", "session_date": "DATE", "first": "STRUCT<url STRING>"},
}
WALK = """
create or replace function `shop-project`.shop_internal.walk(numbers array<float64>, start float64)
returns array<float64> language js as r'''return numbers.map(number => number + start);'''
"""


@pytest.fixture(scope="module")
def analyzer() -> Iterator[Analyzer]:
    with Analyzer(TABLES, [WALK]) as analyzer:
        yield analyzer


RIGHT = {
    "three names in one pair of backticks": "select events.event_id from `shop-project.shop_core.events`",
    "each name in its own": "select e.event_id from `shop-project`.`shop_core`.`events` as e",
    "no backticks": "select event_id from shop-project.shop_core.events",
    "no project": "select event_id from shop_core.events",
    "qualify": "select * from shop_core.events qualify row_number() over (partition by event_id order by timestamp) = 1",
    "qualify alone": "select event_id as e from shop_core.events as qualified qualify rank() over (order by timestamp) = 1",
    "a named window": "select first_value(position ignore nulls) over w from shop_core.events window w as (order by timestamp)",
    "recursion": "with recursive r as (select 1 as n union all select n + 1 from r where n < 5) select n from r",
    "json": "select json_value(properties, '$.\"a b\"'), properties.a.b, to_json_string(e) from shop_core.events as e",
    "nested rows": "select e.event_id, item.price from shop_core.events as e, unnest(e.items) as item where item.price > 1",
    "a field named like a type": "select item.`float` || 'x' from shop_core.events, unnest(items) as item",
    "a field of a struct": "select sessions.first.url from shop_core.sessions",
    "ordered arrays": """
        select array_agg(struct(event_id, position) order by timestamp limit 1)[safe_offset(0)].event_id,
            min_by(event_id, timestamp), max_by(event_id, timestamp), logical_or(position > 1), countif(position > 1)
        from shop_core.events""",
    "time": """
        select timestamp_diff(timestamp, timestamp, microsecond), timestamp_add(timestamp, interval 3 microsecond),
            date(timestamp, 'Europe/Berlin'), timestamp_micros(unix_micros(timestamp)), extract(hour from timestamp),
            date_add(event_date, interval 1 day), timestamp(event_date)
        from shop_core.events""",
    "safe functions": "select safe_divide(1, 0), safe_cast('x' as bigint), safe.parse_json('{'), generate_uuid(), to_hex(md5('a'))",
    "a function of ours": "select `shop-project`.shop_internal.walk([1.0], 2), `shop-project.shop_internal.walk`([1.0], 2.5)",
    "information schema": """
        select column_name from `shop-project.shop_core.INFORMATION_SCHEMA.COLUMNS` where table_name = 'events'""",
    "a table from a query": """
        create or replace table `shop-project.shop_core.daily` partition by event_date cluster by event_id
        options(description = 'x', labels = [('team', 'web')]) as select event_date, event_id from shop_core.events""",
    "a table of columns": """
        create table if not exists shop_core.ledger (name string not null options(description = 'x'), noted_at timestamp)
        partition by timestamp_trunc(noted_at, day) options(require_partition_filter = true, partition_expiration_days = 3)""",
    "a view": "create or replace view `shop-project.shop_core.v` as select * except (properties) from shop_core.events",
    "insert": "insert into shop_core.events (event_id, position) select event_id, 1 from shop_core.events",
    "delete": """
        delete from `shop-project.shop_core.events` where event_date >= date '2024-01-01'
        and exists (select 1 from shop_core.sessions where session_id = events.event_id)""",
    "merge": """
        merge into shop_core.sessions as t using (select event_id from shop_core.events) as s on t.session_id = s.event_id
        when matched then delete when not matched then insert (session_id) values (s.event_id)""",
    "a function of sql": "create or replace function shop_internal.twice(x int64) returns int64 as (x * 2)",
}


@pytest.mark.parametrize("statement", RIGHT.values(), ids=RIGHT.keys())
def test_right_statements_are_taken(analyzer: Analyzer, statement: str) -> None:
    assert analyzer.analyze(statement) is None


WRONG = {
    "a timestamp and a date": (
        "select * from shop_core.events where timestamp >= event_date",
        "No matching signature for operator >= for argument types: TIMESTAMP, DATE",
        "[at 1:38]",
    ),
    "a timestamp and a datetime": (
        "select * from shop_core.events where timestamp >= datetime '2024-01-01 00:00:00'",
        "argument types: TIMESTAMP, DATETIME",
        "[at 1:38]",
    ),
    "a text and a number": (
        "select * from shop_core.events where event_id = position",
        "argument types: STRING, INT64",
        "[at 1:38]",
    ),
    "an unknown column": ("select event_ids from shop_core.events", "Unrecognized name: event_ids", "[at 1:8]"),
    "an unknown table": ("select 1 from `shop-project.shop_core.evnts`", "Table not found", "[at 1:15]"),
    "a function of DuckDB": (
        "select arg_max(position, timestamp) from shop_core.events",
        "Function not found: arg_max",
        "[at 1:8]",
    ),
    "an argument's type": (
        "select substr(position, 1) from shop_core.events",
        "No matching signature for function SUBSTR",
        "[at 1:8]",
    ),
    "our function's argument": (
        "select `shop-project.shop_internal.walk`(['a'], 1)",
        "No matching signature",
        "[at 1:8]",
    ),
    "a filtered aggregate": (
        "select count(*) filter (where position > 1) from shop_core.events",
        "Syntax error",
        "[at 1:24]",
    ),
    "a cast by colons": ("select event_date::string from shop_core.events", "Syntax error", "[at 1:18]"),
    "a bare union": ("select 1 union select 2", "Syntax error", "[at 1:16]"),
    "a sum of booleans": ("select sum(position > 1) from shop_core.events", "SUM", "[at 1:8]"),
    "equality of json": ("select 1 from shop_core.events where properties = properties", "JSON", "[at 1:38]"),
    "equality of arrays": ("select [1] = [2]", "ARRAY", "[at 1:8]"),
    "what is not grouped": (
        "select event_id, count(*) from shop_core.events",
        "neither grouped nor aggregated",
        "[at 1:8]",
    ),
    "branches of other types": ("select 1 union all select 'a'", "incompatible types", "[at 1:20]"),
    "an inserted type": (
        "insert into shop_core.sessions (session_id, session_date) select event_id, position from shop_core.events",
        "cannot be inserted into column session_date",
        "[at 1:59]",
    ),
    "a delete without where": ("delete from shop_core.events", "WHERE", "[at 1:1]"),
    "an unknown option": (
        "create table shop_core.x (a int64) options(descripton = 'x')",
        "Unknown option",
        "[at 1:44]",
    ),
    "an option's type": (
        "create table shop_core.x (a int64) options(require_partition_filter = 'x')",
        "cannot be coerced to expected type BOOL",
        "[at 1:71]",
    ),
    "an order that is not one": (
        "select min_by(event_id, properties) from shop_core.events",
        "must support ordering",
        "[at 1:25]",
    ),
    "a reserved word as a name": ("select qualify from (select 1 as qualify)", "qualify", "[at 1:8]"),
    "a type of other products": ("select cast(1 as int32)", "Type not found: int32", "[at 1:18]"),
    "a type of DuckDB": ("select cast('1' as varchar)", "Type not found: varchar", "[at 1:20]"),
    "an aggregate in where": (
        "select 1 from shop_core.events where max(position) > 1",
        "Aggregate function MAX",
        "[at 1:38]",
    ),
}


@pytest.mark.parametrize(("statement", "reason", "place"), WRONG.values(), ids=WRONG.keys())
def test_wrong_statements_are_refused(analyzer: Analyzer, statement: str, reason: str, place: str) -> None:
    refusal = analyzer.analyze(statement)
    assert refusal is not None
    assert reason in refusal
    assert place in refusal


def test_the_place_is_that_of_the_text_given(analyzer: Analyzer) -> None:
    refusal = analyzer.analyze(
        "begin transaction;\nselect 'ä;', `shop-project.shop_core.events`.nope from `shop-project.shop_core.events`;"
    )
    assert refusal is not None
    assert "[at 2:" in refusal
    refusal = analyzer.analyze("select 1;\n\nselect 'ä;' from `shop-project.shop_core.events` where nope = 1")
    assert refusal == (
        "Unrecognized name: nope [at 3:56]\n"
        "select 'ä;' from `shop-project.shop_core.events` where nope = 1\n" + " " * 55 + "^"
    )


SCRIPTS = {
    "a transaction": """
        declare written int64 default 0;
        begin transaction;
        -- a comment; with a semicolon
        delete from `shop-project.shop_core.events` where event_date >= date '2024-01-01' and event_id != ';';
        insert into `shop-project.shop_core.events` (event_id) values ('''a ' ; b''');
        set written = @@row_count;
        commit transaction;
        select written + 1;""",
    "a script's flow": """
        declare last date; declare total float64 default 1;
        set last = (select max(event_date) from shop_core.events);
        if last > date '2024-01-01' then set total = 2; elseif total > 3 then select 1; else select last; end if;
        while total < 10 do set total = total + 1; if total > 5 then break; end if; end while;
        begin raise using message = 'no'; exception when error then select @@error.message; end;""",
    "temporary things": """
        begin transaction; create temp table early as select 1 as a; commit transaction;
        create or replace table shop_core.later as select 1 as a; drop table shop_core.later;
        create temp table picked as select event_id, position from shop_core.events;
        create temp function following_one(x int64) returns int64 language js as r"return x + 1; // ';'";
        select following_one(position) from picked;""",
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_right_scripts_are_taken(analyzer: Analyzer, script: str) -> None:
    assert analyzer.analyze(script) is None


WRONG_SCRIPTS = {
    "a later statement": ("begin transaction; select 1; select nope; commit transaction;", "nope", "[at 1:37]"),
    "a default of another type": (
        "declare total int64 default 'a';",
        "cannot be coerced to target type INT64",
        "[at 1:29]",
    ),
    "a set of another type": (
        "declare total int64; set total = 1.5;",
        "cannot be coerced to target type INT64",
        "[at 1:34]",
    ),
    "a set without declare": ("set missing = 1;", "Undeclared variable: missing", "[at 1:5]"),
    "a condition": ("if 1 then select 1; end if;", "WHERE clause should return type BOOL", "[at 1:4]"),
    "within a branch": ("if true then select nope; end if;", "nope", "[at 1:21]"),
    "within another branch": ("if true then select 1; elseif true then select nope; end if;", "nope", "[at 1:48]"),
    "another branch's condition": ("if true then select 1; elseif 1 then select 1; end if;", "BOOL", "[at 1:31]"),
    "within the last branch": ("if true then select 1; else select nope; end if;", "nope", "[at 1:36]"),
    "within a loop": ("while true do select nope; end while;", "nope", "[at 1:22]"),
    "what is raised": ("raise using message = nope;", "nope", "[at 1:23]"),
    "behind a tab": ("select 1;\tselect\tnope;", "nope", "[at 1:18]"),
    "within a handler": ("begin select 1; exception when error then select nope; end;", "nope", "[at 1:50]"),
    "a variable after its block": (
        "begin declare x int64; select x; end; select x;",
        "Unrecognized name: x",
        "[at 1:46]",
    ),
    "a table made in a transaction": (
        "begin transaction; create table shop_core.x as select 1 as a; commit transaction;",
        "temporary things only",
        "[at 1:20]",
    ),
    "what nothing here reads": ("execute immediate 'select 1';", "Not judged", "[at 1:1]"),
}


@pytest.mark.parametrize(("script", "reason", "place"), WRONG_SCRIPTS.values(), ids=WRONG_SCRIPTS.keys())
def test_wrong_scripts_are_refused(analyzer: Analyzer, script: str, reason: str, place: str) -> None:
    refusal = analyzer.analyze(script)
    assert refusal is not None
    assert reason in refusal
    assert place in refusal


def test_variables_end_with_their_script(analyzer: Analyzer) -> None:
    assert analyzer.analyze("declare lone int64; select lone;") is None
    assert "Unrecognized name: lone" in (analyzer.analyze("select lone") or "")


MADE = [
    "create or replace table `shop-project.shop_core.made` as select event_date as day, items from shop_core.events",
    "create or replace table `shop-project.shop_core.made` like `shop-project.shop_core.events`",
    "create or replace table `shop-project.shop_core.made` copy `shop-project.shop_core.events`",
    "create or replace table `shop-project.shop_core.made` clone `shop-project.shop_core.events`",
    "create or replace view `shop-project.shop_core.made` as select items from `shop-project.shop_core.events`",
    "create or replace table `shop-project.shop_core.made` (items array<struct<sku string, price float64>>)",
    "create or replace table shop_core.made (a int64); alter table shop_core.made add column items array<struct<price int64>>",
    "create or replace table shop_core.MADE (items array<struct<price int64>>); create or replace table shop_core.Made "
    "(items array<struct<price int64>>); alter table shop_core.made add column if not exists items array<struct<price int64>>",
]


@pytest.mark.parametrize("statement", MADE)
def test_what_a_statement_makes_is_known_to_the_next(analyzer: Analyzer, statement: str) -> None:
    assert analyzer.analyze(statement) is None
    assert analyzer.analyze("select item.price * 2 from `shop-project.shop_core.made`, unnest(items) as item") is None
    assert "nope" in (analyzer.analyze("select nope from `shop-project.shop_core.made`") or "")
    assert analyzer.analyze("drop table shop_core.made") is None
    assert "Table not found" in (analyzer.analyze("select 1 from `shop-project.shop_core.made`") or "")


def test_a_renamed_table_has_its_new_name_alone(analyzer: Analyzer) -> None:
    assert (
        analyzer.analyze("create table shop_core.old as select 1 as a; alter table shop_core.old rename to new_one")
        is None
    )
    assert analyzer.analyze("select a from shop_core.new_one") is None
    assert "Table not found" in (analyzer.analyze("select a from shop_core.old") or "")


def test_what_it_should_know_must_be_right() -> None:
    with pytest.raises(ValueError, match="Type not found: varchar"):
        Analyzer({"shop-project.shop_core.events": {"event_id": "varchar"}})
