"""What is removed from logs, and what counts as a trace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sessionization_dagster.erasure.ids import Ids
from sessionization_dagster.erasure.person import bind_subject
from sessionization_dagster.erasure.traces import remove_from_logs, traces
from sessionization_dagster.warehouses.duckdb import DuckDBConnection, DuckDBWarehouse
from tests.manifests import manifest_of

PERSON = "person-7f3a9c"
IDS = Ids.of([PERSON, "42", 'q"uote-123'])


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[DuckDBConnection]:
    with DuckDBWarehouse(tmp_path / "shop.duckdb").connect() as opened:
        opened.execute("create schema core; create schema internal")
        opened.execute("create table core.identity_graph (alias varchar, dbt_visitor_id varchar)")
        opened.execute("insert into core.identity_graph values ('1', '1'), ('2', '2'), ('other-77', '2')")
        opened.execute("create table internal.erasures_in_progress (ids varchar[])")
        opened.execute(f"insert into internal.erasures_in_progress values (['{PERSON}'])")
        bind_subject(opened, IDS)
        yield opened


def test_a_distinct_id_is_found_in_any_text(connection: DuckDBConnection) -> None:
    connection.execute(f"""
        create table core.sessions as select * from (values
            ('1 - {PERSON}', [1], null), ('x', [2], '{{"a": "q\\"uote-123"}}'), ('1 - {PERSON}4', [3], '42'), ('42', [4], null)
        ) as rows (session_id, numbers, properties)""")
    connection.execute(f"create table core.nested as select {{'a': [{{'b': '{PERSON}'}}]}} as s, 1 as n")
    connection.execute("create table core.numbers as select 42 as n")
    found, searched = traces(connection, IDS)
    assert found == {"core.sessions": 2, "core.nested": 1}
    assert searched == 4


def test_an_ordinary_id_is_found_where_most_values_are_ids(connection: DuckDBConnection) -> None:
    connection.execute("create table core.events (event_id varchar, visitor varchar, url varchar)")
    connection.execute("insert into core.events values ('42', '1', '42'), ('43', '2', '/'), ('44', '2', '/x')")
    assert traces(connection, IDS)[0] == {}
    connection.execute("insert into core.events values ('45', '42', '/')")
    assert traces(connection, IDS)[0] == {"core.events": 1}


def test_only_logs_lose_rows(connection: DuckDBConnection) -> None:
    for name in ("internal.state", "core.a_log", "core.output", "internal.identity_edges"):
        connection.execute(
            f"create table {name} as select '{PERSON}' as entity union all select '42' union all select 'other-77'"
        )
    assert remove_from_logs(connection, IDS, {"core.a_log"}) == 4
    assert connection.query("from internal.state").to_pylist() == [{"entity": "other-77"}]
    assert connection.query("from core.a_log").to_pylist() == [{"entity": "other-77"}]
    assert traces(connection, IDS)[0] == {"core.output": 2, "internal.identity_edges": 2}


def test_logs_say_so_in_their_meta() -> None:
    def node(name: str, **dagster: object) -> dict[str, object]:
        return {"schema": "core", "name": name, "config": {"meta": {"dagster": dagster}}}

    manifest = manifest_of({"a": node("a", log=True), "b": node("b")}, {"c": node("c", log=True, group="x")})
    assert [log.name for log in manifest.logs] == ["a", "c"]
