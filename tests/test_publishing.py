"""Tables as Parquet files: the warehouse's rows, unchanged dates' files as they were, and a reader never sees half a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from sessionization_dagster.dbt.manifest import Table
from sessionization_dagster.errors import SettingsError, WarehouseError
from sessionization_dagster.publishing.published_tables import (
    Published,
    publish,
    publish_all,
    remove_earlier_versions,
)
from sessionization_dagster.settings.environment import Environment
from sessionization_dagster.warehouses.duckdb import DuckDBConnection, DuckDBWarehouse
from tests.manifests import manifest_of

TABLES = manifest_of(
    {
        "sessions": {"config": {"schema": "core", "date": "session_date"}},
        "it's nested": {"config": {"schema": "core", "date": "cast(began as date)"}},
        "graph": {"config": {"schema": "core"}},
    }
).models
SESSIONS, NESTED, GRAPH = TABLES


@pytest.fixture
def warehouse(tmp_path: Path) -> DuckDBWarehouse:
    made = DuckDBWarehouse(tmp_path / "warehouse.duckdb")
    with made.connect() as connection:
        for statement in (
            "create schema core",
            """create table core.sessions as
               select date '2024-03-01' + cast(n % 5 as integer) as session_date, 's' || n as id, n / 7 as number
               from range(1000) as r(n)""",
            "insert into core.sessions values (null, 'undated', 1)",
            """create view core."it's nested" as
               select session_date + interval 1 hour as began, [id, id] as ids, {'n': number} as fields, '{"a": 1}'::json as j
               from core.sessions where session_date is not null""",
            "create table core.graph (alias varchar, since timestamp)",
        ):
            connection.execute(statement)
    return made


def published(folder: Path, table: Table) -> list[dict[str, Any]]:
    """A table's rows as another tool reads them."""
    place = f"{folder}/{'/'.join(table.relation)}/*.parquet".replace("'", "''")
    return duckdb.default_connection().sql(f"from read_parquet('{place}') order by all").to_arrow_table().to_pylist()


def stored(connection: DuckDBConnection, table: Table) -> list[dict[str, Any]]:
    return connection.query(f'from core."{table.name}" order by all').to_pylist()


def inodes(folder: Path, table: Table) -> dict[str, int]:
    return {path.name: path.stat().st_ino for path in folder.joinpath(*table.relation).iterdir()}


def test_files_have_the_tables_rows_and_only_changed_dates_are_written(
    warehouse: DuckDBWarehouse, tmp_path: Path
) -> None:
    folder = tmp_path / "published"
    done = publish_all(warehouse, TABLES, folder)
    assert done["core.sessions"] == Published(written=6, kept=0, removed=0)
    with warehouse.connect() as connection:
        for table in TABLES:
            assert published(folder, table) == stored(connection, table), table
        assert {name.split(".")[0] for name in inodes(folder, SESSIONS)} == {f"2024-03-0{n}" for n in range(1, 6)} | {
            "no-date"
        }
        columns = duckdb.execute(f"describe from read_parquet('{folder}/core/graph/*.parquet')").fetchall()
        assert [column[:2] for column in columns] == [("alias", "VARCHAR"), ("since", "TIMESTAMP")]

        first, version = inodes(folder, SESSIONS), (folder / "core" / "sessions").resolve()
        assert publish(connection, SESSIONS, folder) == Published(written=0, kept=6, removed=0)
        assert (folder / "core" / "sessions").resolve() == version

        connection.execute("update core.sessions set number = 0.5 where id = 's3'")
        connection.execute("delete from core.sessions where session_date = '2024-03-05' or session_date is null")
        connection.execute("insert into core.sessions values ('2024-03-09', 'new', 1)")
        connection.execute("insert into core.graph values ('a', timestamp '2024-03-01')")
        assert publish(connection, SESSIONS, folder) == Published(written=2, kept=3, removed=3)
        second = inodes(folder, SESSIONS)
        assert {name: first[name] for name in first.keys() & second.keys()} == {
            name: inode for name, inode in second.items() if name in first
        }
        assert {name.split(".")[0] for name in first.keys() & second.keys()} == {
            "2024-03-01",
            "2024-03-02",
            "2024-03-03",
        }
        publish(connection, GRAPH, folder)
        for table in (SESSIONS, GRAPH):
            assert published(folder, table) == stored(connection, table), table
        assert len(inodes(folder, GRAPH)) == 1

        # Whoever reads the version before goes on reading it, until the next one comes.
        assert {path.name for path in version.iterdir()} == set(first)
        connection.execute("delete from core.sessions")
        publish(connection, SESSIONS, folder)
        assert not version.exists()
        assert published(folder, SESSIONS) == []


def test_other_columns_write_every_date(warehouse: DuckDBWarehouse, tmp_path: Path) -> None:
    with warehouse.connect() as connection:
        publish(connection, SESSIONS, tmp_path / "published")
        connection.execute("alter table core.sessions rename column number to weight")
        assert publish(connection, SESSIONS, tmp_path / "published") == Published(written=6, kept=0, removed=6)
        assert published(tmp_path / "published", SESSIONS) == stored(connection, SESSIONS)


def test_earlier_versions_go_where_it_is_asked(warehouse: DuckDBWarehouse, tmp_path: Path) -> None:
    folder = tmp_path / "published"
    with warehouse.connect() as connection:
        publish(connection, SESSIONS, folder)
        connection.execute("delete from core.sessions where id = 's3'")
        publish(connection, SESSIONS, folder)
        assert remove_earlier_versions(folder) == 1
        assert remove_earlier_versions(folder) == 0
        kept = [path for path in folder.rglob("*.parquet")]
        assert all("'s3'" not in str(duckdb.execute(f"from read_parquet('{path}')").fetchall()) for path in kept)
        assert published(folder, SESSIONS) == stored(connection, SESSIONS)


def test_what_is_somebody_elses_is_left(warehouse: DuckDBWarehouse, tmp_path: Path) -> None:
    place = tmp_path / "published" / "core" / "sessions"
    place.mkdir(parents=True)
    (place / "mine.txt").write_text("mine")
    with (
        warehouse.connect() as connection,
        pytest.raises(WarehouseError, match=r"SESSIONIZATION_PUBLISH: .*core/sessions"),
    ):
        publish(connection, SESSIONS, tmp_path / "published")
    assert (place / "mine.txt").read_text() == "mine"


def test_a_folder_that_would_be_landed_is_refused() -> None:
    landing = {"SESSIONIZATION_LANDING": "/data/landing"}
    assert Environment.from_env({**landing, "SESSIONIZATION_PUBLISH": "/data/published"}).publish == Path(
        "/data/published"
    )
    for folder in ("/data/landing", "/data/landing/published", "/data"):
        with pytest.raises(SettingsError, match=r"SESSIONIZATION_PUBLISH is .* published files would be landed"):
            Environment.from_env({**landing, "SESSIONIZATION_PUBLISH": folder})
    bigquery = {
        "SESSIONIZATION_TARGET": "bigquery",
        "BIGQUERY_PROJECT": "p",
        "BIGQUERY_DATASET": "d",
        "BIGQUERY_LOCATION": "EU",
    }
    with pytest.raises(SettingsError, match="Tables of target bigquery are read where they are"):
        Environment.from_env({**bigquery, "SESSIONIZATION_PUBLISH": "/data/published"})
