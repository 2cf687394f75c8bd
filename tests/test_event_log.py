"""The batched SQLite event log: what is used of Dagster's own storage is still there, and a batch is written as one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage

from sessionization_dagster.event_log import BatchedSqliteEventLogStorage
from sessionization_dagster.instance import prepare_instance_home

DAYS = dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-02-10")


@dg.asset(partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.single_run())
def daily(context: dg.AssetExecutionContext) -> None: ...


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The shards that connections were opened to."""
    opened: list[str] = []
    original = SqliteEventLogStorage._connect

    @contextmanager
    def counting(self: SqliteEventLogStorage, shard: str) -> Iterator[Any]:
        opened.append(shard)
        with original(self, shard) as connection:
            yield connection

    monkeypatch.setattr(SqliteEventLogStorage, "_connect", counting)
    return opened


def test_a_long_backfill_is_written_in_batches(
    tmp_path: Path, connections: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "1000")
    prepare_instance_home()
    with dg.DagsterInstance.get() as instance:
        assert isinstance(instance.event_log_storage, BatchedSqliteEventLogStorage)
        tags = {"dagster/asset_partition_range_start": "2024-01-01", "dagster/asset_partition_range_end": "2024-02-09"}
        assert dg.materialize([daily], instance=instance, tags=tags).success
        assert instance.get_materialized_partitions(daily.key) == set(DAYS.get_partition_keys())
        records = instance.fetch_materializations(daily.key, limit=100).records
    assert len(records) == 40
    assert "Falling back" not in capfd.readouterr().err
    # 80 planned and stored events one by one would be 160 connections and more.
    assert len(connections) < 80


def test_an_existing_instance_keeps_its_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "7")
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    prepare_instance_home()
    assert (tmp_path / "dagster.yaml").read_text() == "telemetry: {enabled: false}\n"
