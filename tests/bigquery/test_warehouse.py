"""The connection on an emulator: rows go in and come out as they were, and several writes are one."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pytest
from google.cloud import bigquery

from sessionization_dagster.errors import WarehouseError
from sessionization_dagster.warehouses.base import TableLayout
from sessionization_dagster.warehouses.bigquery import BigQueryConnection, BigQueryWarehouse

ROWS = pa.table(
    {
        "n": pa.array([1, None, -(2**62)], pa.int64()),
        "i": pa.array([7, 8, 9], pa.int32()),
        "text": ["", None, 'a,"b"\r\nc\\N=\t é😀'],
        "f": [1.5, None, 1e300],
        "yes": [True, None, False],
        "day": pa.array([date(2024, 2, 29), None, date(1, 1, 1)]),
        "seen_at": pa.array(
            [datetime(2024, 1, 1, 0, 0, 0, 1), None, datetime(1969, 12, 31, 23, 59, 59, 999999)], pa.timestamp("us")
        ),
    }
)
TABLE = TableLayout(
    "core", "t", "day date, name varchar, n bigint, seen_at timestamp", partitioned_by="day", clustered_by="name"
)


def scratch_tables(connection: BigQueryConnection, warehouse: BigQueryWarehouse) -> list[str]:
    tables = connection.native.list_tables(f"demo.{warehouse.places.dataset}_internal", timeout=30)
    return [table.table_id for table in tables if table.table_id.startswith("scratch_")]


def test_rows_come_back_as_they_were(warehouse: BigQueryWarehouse) -> None:
    with warehouse.connect() as connection:
        connection.register("rows", ROWS)
        found = connection.query("select * from rows").sort_by("i")
        assert found.to_pylist() == ROWS.to_pylist()
        assert found.schema.field("seen_at").type == pa.timestamp("us")
        connection.create_temp("kept", "select rows.text, rows.seen_at from rows where rows.seen_at is not null")
        connection.create_temp("kept", "select seen_at, text from kept where text <> ''")
        assert connection.query("select text from kept").to_pylist() == [{"text": ROWS.column("text")[2].as_py()}]
        connection.register("rows", ROWS.slice(0, 0))
        assert connection.query("select count(*) as found from rows").to_pylist() == [{"found": 0}]
        assert len(scratch_tables(connection, warehouse)) == 4
    with warehouse.connect() as connection:
        assert scratch_tables(connection, warehouse) == []


def test_scratch_tables_of_a_killed_process_expire(
    warehouse: BigQueryWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As far as is asked for: the emulator forgets it."""
    created: list[bigquery.Table] = []
    statements: list[str] = []
    create, send = bigquery.Client.create_table, bigquery.Client.query

    def noted_create(self: bigquery.Client, table: bigquery.Table, **more: Any) -> bigquery.Table:
        created.append(table)
        return create(self, table, **more)

    def noted_send(self: bigquery.Client, sql: str, *more: Any, **options: Any) -> Any:
        statements.append(sql)
        return send(self, sql, *more, **options)

    monkeypatch.setattr(bigquery.Client, "create_table", noted_create)
    monkeypatch.setattr(bigquery.Client, "query", noted_send)
    with warehouse.connect() as connection:
        connection.register("rows", ROWS)
        connection.create_temp("kept", "select n from rows")
    assert created[0].expires is not None
    assert "OPTIONS(expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 24 HOUR))" in statements[-1]


def test_a_table_is_created_once_with_its_layout(warehouse: BigQueryWarehouse) -> None:
    with warehouse.connect() as connection:
        assert not connection.has_table("core", "t")
        connection.create_missing(TABLE)
        connection.execute("insert into core.t (day, name, n) values (date '2024-01-01', 'a', 1)")
        connection.create_missing(TABLE)
        assert connection.has_table("core", "t")
        assert connection.query("select count(*) as found from core.t").to_pylist() == [{"found": 1}]
        table = connection.native.get_table(f"demo.{warehouse.places.dataset}_core.t", timeout=30)
        assert table.time_partitioning.field == "day"
        assert [field.field_type for field in table.schema] == ["DATE", "STRING", "INTEGER", "TIMESTAMP"]


def test_several_writes_are_one(warehouse: BigQueryWarehouse) -> None:
    with warehouse.connect() as connection:
        connection.create_missing(TABLE)
        connection.register("incoming", pa.table({"name": ["a", "b"], "n": [1, 2]}))
        connection.in_transaction(
            ["delete from core.t where true", "insert into core.t (name, n) select name, n from incoming"]
        )
        before = connection.query("select name, n from core.t order by name").to_pylist()
        assert [row["name"] for row in before] == ["a", "b"]
        with pytest.raises(WarehouseError):
            connection.in_transaction(
                [
                    "delete from core.t where name = 'a'",
                    "insert into core.t (name, n) select name, cast(name as bigint) from incoming",
                    "delete from core.t where true",
                ]
            )
        assert connection.query("select name, n from core.t order by name").to_pylist() == before


def test_jobs_bear_labels_and_limits(warehouse: BigQueryWarehouse) -> None:
    sent: list[bigquery.QueryJobConfig] = []
    with warehouse.labelled(run_id="1A-b", asset="core.Graph").connect() as connection:
        send = connection.native.query

        def spy(sql: str, config: bigquery.QueryJobConfig, **options: object) -> bigquery.QueryJob:
            sent.append(config)
            return send(sql, config, **options)  # type: ignore[arg-type]

        connection.native.query = spy  # type: ignore[method-assign, assignment]
        connection.query("select 1 as one")
    (config,) = sent
    assert config.labels == {"run_id": "1a-b", "asset": "core_graph"}
    assert int(config.job_timeout_ms) == 60_000


def test_a_date_in_a_timezone(warehouse: BigQueryWarehouse) -> None:
    day = warehouse.local_date("timestamp '2024-01-01 23:30:00'", "Europe/Berlin")
    with warehouse.read() as connection:
        assert connection.query(f"select {day} as day").to_pylist() == [{"day": date(2024, 1, 2)}]
