"""Errors that the emulator can produce, from the request to what a user reads."""

from __future__ import annotations

import time
from dataclasses import replace

import pyarrow as pa
import pytest

from sessionization_dagster.errors import WarehouseError, is_transient
from sessionization_dagster.warehouses import bigquery
from sessionization_dagster.warehouses.bigquery import BigQueryWarehouse
from tests.bigquery.emulator import free_ports


def test_a_missing_table_is_named_with_the_remedy(warehouse: BigQueryWarehouse) -> None:
    with warehouse.connect() as connection:
        connection.register("rows", pa.table({"n": [1]}))  # makes the dataset
        with pytest.raises(
            WarehouseError, match=r"shop_\d+_internal\.nothing(?s:.*)Remedy: .*run the assets"
        ) as caught:
            connection.query("select * from internal.nothing")
    assert not is_transient(caught.value)


def test_a_missing_dataset_is_named_with_the_remedy(warehouse: BigQueryWarehouse) -> None:
    with warehouse.connect() as connection:
        with pytest.raises(WarehouseError, match=r"shop_\d+_core\.nothing(?s:.*)Remedy: .*BIGQUERY_DATASET"):
            connection.query("select * from core.nothing")
        assert not connection.has_table("core", "nothing")


def test_a_statement_that_is_wrong_fails_at_once(warehouse: BigQueryWarehouse) -> None:
    started_at = time.monotonic()
    with warehouse.connect() as connection:
        for run in (connection.query, connection.execute, lambda sql: connection.in_transaction([sql])):
            with pytest.raises(WarehouseError, match=r"BigQuery \(project demo\) says"):
                run("select cast('x' as bigint) as n")
    # A client that tries such a statement again does so for minutes.
    assert time.monotonic() - started_at < 30


def test_a_dataset_elsewhere_is_reported_before_anything_is_written(warehouse: BigQueryWarehouse) -> None:
    with warehouse.connect() as connection:
        connection.register("rows", pa.table({"n": [1]}))
    with (
        replace(warehouse, location="EU").connect() as connection,
        pytest.raises(WarehouseError, match="internal is in US, and BIGQUERY_LOCATION is EU"),
    ):
        connection.register("rows", pa.table({"n": [1]}))


def test_nobody_at_the_endpoint_may_pass(warehouse: BigQueryWarehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bigquery, "RETRY", bigquery.RETRY.with_timeout(1.0))
    (port,) = free_ports(1)
    with (
        replace(warehouse, endpoint=f"http://127.0.0.1:{port}").connect() as connection,
        pytest.raises(WarehouseError, match="Connection refused") as caught,
    ):
        connection.query("select 1 as one")
    assert is_transient(caught.value)


def test_no_credentials_are_reported_with_the_remedy(
    warehouse: BigQueryWarehouse, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "APPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    # Else the client asks whether it runs at Google, and waits for an answer.
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    with (
        pytest.raises(WarehouseError, match="BIGQUERY_KEYFILE"),
        replace(warehouse, endpoint=None).connect() as connection,
    ):
        connection.query("select 1 as one")
