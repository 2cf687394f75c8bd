"""DuckDB's dialect as BigQuery reads it: names, times, and what differs in words alone."""

from __future__ import annotations

import pytest

from sessionization_dagster.warehouses.base import TableLayout
from sessionization_dagster.warehouses.dialect import Places, as_script, create_table, to_bigquery

PLACES = Places("my-project", "shop", {"rudderstack": "rudder_prod"})
KEPT = {"members": "`my-project`.`shop_internal`.`scratch_1`", "rows": "(SELECT SUBSTR(`a`, 2) AS `a` FROM `x`)"}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (
            "select members.alias from members inner join core.identity_graph as graph on members.alias = graph.alias",
            "SELECT members.alias FROM `my-project`.`shop_internal`.`scratch_1` AS members "
            "INNER JOIN `my-project`.`shop_core`.`identity_graph` AS graph ON members.alias = graph.alias",
        ),
        ("select * from rows as r", "SELECT * FROM (SELECT SUBSTR(`a`, 2) AS `a` FROM `x`) AS r"),
        (
            "select * from raw.rudderstack_tracks, raw.segment_tracks",
            "SELECT * FROM `my-project`.`rudder_prod`.`tracks` AS rudderstack_tracks, "
            "`my-project`.`shop_raw`.`segment_tracks` AS segment_tracks",
        ),
        (
            "delete from core.t where alias in (select alias from members)",
            "DELETE FROM `my-project`.`shop_core`.`t` WHERE alias IN "
            "(SELECT alias FROM `my-project`.`shop_internal`.`scratch_1` AS members)",
        ),
        (
            "insert into core.t (a) select a from core.t",
            "INSERT INTO `my-project`.`shop_core`.`t` (a) SELECT a FROM `my-project`.`shop_core`.`t` AS t",
        ),
        ("select timestamp '2024-01-01 00:00:00'", "SELECT CAST('2024-01-01 00:00:00' AS TIMESTAMP)"),
        (
            "select cast(a as timestamp) from core.t",
            "SELECT CAST(a AS TIMESTAMP) FROM `my-project`.`shop_core`.`t` AS t",
        ),
        ("select 1 union select 2 except select 3", "SELECT 1 UNION DISTINCT SELECT 2 EXCEPT DISTINCT SELECT 3"),
        (
            'select bool_or("user"), arg_max(a, b) from core.t',
            "SELECT LOGICAL_OR(`user`), MAX_BY(a, b) FROM `my-project`.`shop_core`.`t` AS t",
        ),
        ("select 'it''s \\'", "SELECT 'it\\'s \\\\'"),
    ],
)
def test_a_statement(sql: str, expected: str) -> None:
    assert to_bigquery(sql, PLACES, KEPT) == expected


def test_common_table_expressions_are_their_own() -> None:
    sql = "with members as (select * from members), more as (select * from members) select * from more, members"
    assert to_bigquery(sql, PLACES, KEPT) == (
        "WITH members AS (SELECT * FROM `my-project`.`shop_internal`.`scratch_1` AS members), "
        "more AS (SELECT * FROM members) SELECT * FROM more, members"
    )
    inner = "with a as (select 1 as n) select * from (select n from a where n in (select n from a)) as x"
    assert "AS a)" not in to_bigquery(inner, PLACES, KEPT)
    recursive = "with recursive r as (select 1 as n union all select n + 1 from r where n < 3) select * from r"
    assert to_bigquery(recursive, PLACES, {}).count("FROM r") == 2


def test_a_name_that_nothing_is_kept_under_is_refused() -> None:
    for sql in ("select * from nobody", "with a as (select * from b), b as (select 1) select * from a"):
        with pytest.raises(ValueError, match="No table is kept under the name"):
            to_bigquery(sql, PLACES, KEPT)


def test_the_same_text_may_name_other_tables_later() -> None:
    first = to_bigquery("select * from members", PLACES, {"members": "`p`.`d`.`one`"})
    second = to_bigquery("select * from members", PLACES, {"members": "`p`.`d`.`two`"})
    assert (first, second) == ("SELECT * FROM `p`.`d`.`one` AS members", "SELECT * FROM `p`.`d`.`two` AS members")


def test_the_longest_sources_name_decides_whose_a_raw_table_is() -> None:
    places = Places("p", "d", {"shop": "a", "shop_eu": "example.com:q.b"})
    assert places.path_of("raw", "shop_eu_tracks") == ("example.com:q", "b", "tracks")
    assert places.path_of("raw", "shop_tracks") == ("p", "a", "tracks")
    assert places.path_of("raw", "landed_files") == ("p", "d_raw", "landed_files")
    assert places.path_of("core", "shop_tracks") == ("p", "d_core", "shop_tracks")


def test_a_table_has_its_layout() -> None:
    table = TableLayout("core", "t", "day date, k varchar, seen_at timestamp", partitioned_by="day", clustered_by="k")
    assert create_table(table, PLACES) == (
        "CREATE TABLE IF NOT EXISTS `my-project`.`shop_core`.`t` (day DATE, k STRING, seen_at TIMESTAMP) "
        "PARTITION BY day CLUSTER BY k"
    )


def test_a_script_is_one_transaction() -> None:
    assert as_script(["DELETE FROM a WHERE TRUE", "SELECT 1"]) == (
        "BEGIN TRANSACTION;\nDELETE FROM a WHERE TRUE;\nSELECT 1;\nCOMMIT TRANSACTION;"
    )
