"""The warehouse's file written anew: all rows and views, none of the deleted bytes, and one step in which it takes effect."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from sessionization_dagster.erasure.fresh_file import write_anew
from sessionization_dagster.errors import WarehouseError
from sessionization_dagster.warehouses.duckdb import DuckDBConnection, DuckDBWarehouse

SECRET = "person-7f3a9c-4d0c"


@pytest.fixture
def warehouse(tmp_path: Path) -> DuckDBWarehouse:
    made = DuckDBWarehouse(tmp_path / "shop.duckdb")
    with made.connect() as connection:
        connection.execute("create schema raw; create schema a_view; create schema internal")
        connection.execute(
            "create table raw.t as select n, 'row ' || n as text, {'a': [n]} as nested from range(3000) as r(n)"
        )
        connection.execute(f"insert into raw.t values (-1, '{SECRET}', null)")
        connection.execute('create view a_view.v as select n, text from "shop"."raw"."t"')
        connection.execute(
            "create table internal.notes (id varchar); insert into internal.notes values ('mine'), ('other')"
        )
    with made.connect() as connection:
        connection.execute("delete from raw.t where n < 0")
    return made


def rows(warehouse: DuckDBWarehouse) -> list[object]:
    with warehouse.connect() as connection:
        return [
            connection.query(sql).to_pylist()
            for sql in ("from raw.t", "from a_view.v", "select id from internal.notes order by id")
        ]


def test_it_has_everything_but_what_was_deleted(warehouse: DuckDBWarehouse) -> None:
    assert SECRET.encode() in warehouse.path.read_bytes()
    warehouse.path.chmod(0o640)
    before = rows(warehouse)

    def finish(connection: DuckDBConnection) -> None:
        connection.execute("insert into internal.notes values ('done')")

    write_anew(warehouse, finish, {"internal.notes": "id = 'mine'"})
    assert SECRET.encode() not in warehouse.path.read_bytes()
    assert rows(warehouse) == [*before[:2], [{"id": "done"}, {"id": "other"}]]
    assert os.listdir(warehouse.path.parent) == ["shop.duckdb"]
    assert warehouse.path.stat().st_mode & 0o777 == 0o640


def test_nobody_writes_into_the_old_file_meanwhile(warehouse: DuckDBWarehouse) -> None:
    def finish(_: DuckDBConnection) -> None:
        code = f"import duckdb; duckdb.connect({str(warehouse.path)!r})"
        writer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
        assert "lock" in writer.stderr

    write_anew(warehouse, finish, {})


@pytest.mark.parametrize("moment", ["finish", "place"])
def test_what_fails_leaves_the_old_file(
    warehouse: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    before = rows(warehouse)

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    if moment == "place":
        monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(KeyboardInterrupt):
        write_anew(warehouse, (lambda _: None) if moment == "place" else fail, {"internal.notes": "true"})
    assert rows(warehouse) == before
    assert os.listdir(warehouse.path.parent) == ["shop.duckdb"]


def test_a_log_of_writes_beside_the_file_stops_it(warehouse: DuckDBWarehouse) -> None:
    """DuckDB would apply it to the new file."""

    def finish(_: DuckDBConnection) -> None:
        warehouse.path.with_name("shop.duckdb.wal").write_bytes(b"")

    with pytest.raises(WarehouseError, match="written to meanwhile"):
        write_anew(warehouse, finish, {})
    assert duckdb.connect(str(warehouse.path), read_only=True).execute("select count(*) from raw.t").fetchall() == [
        (3000,)
    ]
