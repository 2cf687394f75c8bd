"""The batched SQLite event log: a batch is stored as one, and as Dagster's own storage would have stored it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage

from sessionization_dagster import event_log
from sessionization_dagster.cli.dagster_home import prepare_instance_home
from sessionization_dagster.event_log import BatchedSqliteEventLogStorage, store_batches_in_bulk, store_event_batch

DAYS = dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-02-10")


RANGE = {"dagster/asset_partition_range_start": "2024-01-01", "dagster/asset_partition_range_end": "2024-02-09"}


@dg.asset(
    partitions_def=DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    check_specs=[dg.AssetCheckSpec("is_right", asset="daily")],
    tags={"layer": "core"},
)
def daily(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    yield dg.MaterializeResult(metadata={"rows": 1})
    yield dg.AssetCheckResult(passed=True, check_name="is_right")


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
        run(instance)
        assert instance.get_materialized_partitions(daily.key) == set(DAYS.get_partition_keys())
        records = instance.fetch_materializations(daily.key, limit=100).records
    assert len(records) == 40
    assert "Falling back" not in capfd.readouterr().err
    # 80 planned and stored events one by one would be 160 connections and more.
    assert len(connections) < 80


def run(instance: dg.DagsterInstance) -> None:
    job = dg.define_asset_job("daily_job", partitions_def=DAYS)
    definitions = dg.Definitions(assets=[daily], jobs=[job], executor=dg.in_process_executor)
    assert definitions.resolve_job_def("daily_job").execute_in_process(instance=instance, tags=RANGE).success


def rows_of(home: Path) -> dict[str, list[Any]]:
    """What the index holds of a run, without ids, moments and the texts that contain them; and how many events the run's own file has."""
    (index,) = home.rglob("index.db")
    (run,) = set(home.glob("history/runs/*.db")) - {index}
    with sqlite3.connect(index) as connection, sqlite3.connect(run) as of_run:
        return {
            "events": connection.execute(
                "select dagster_event_type, step_key, asset_key, partition from event_logs order by id"
            ).fetchall(),
            "assets": connection.execute(
                """select asset_key, last_materialization like '%2024-02-09%', last_materialization like '%"storage_id": ' ||
                (select max(id) from event_logs where dagster_event_type = 'ASSET_MATERIALIZATION') || '%',
                last_run_id is not null, last_materialization_timestamp is not null from asset_keys"""
            ).fetchall(),
            "tags": connection.execute("select asset_key, key from asset_event_tags order by id").fetchall(),
            "checks": connection.execute(
                """select distinct asset_key, check_name, execution_status, evaluation_event_storage_id is not null
                from asset_check_executions where execution_status <> 'PLANNED'"""
            ).fetchall(),
            "own": of_run.execute("select dagster_event_type, partition from event_logs order by 1, 2").fetchall(),
        }


def test_a_batch_is_stored_as_dagsters_own_storage_stores_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On an instance of Dagster's own making, as the definitions' entry point makes it quick."""
    found = []
    for name in ("own", "bulk"):
        (home := tmp_path / name).mkdir()
        (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        with monkeypatch.context() as patched, dg.DagsterInstance.from_config(str(home)) as instance:
            patched.setenv("DAGSTER_EVENT_BATCH_SIZE", "30")
            patched.setattr(SqliteEventLogStorage, "store_event_batch", SqliteEventLogStorage.store_event_batch)
            if name == "bulk":
                store_batches_in_bulk()
            run(instance)
        found.append(rows_of(home))
    assert found[0]["tags"]
    assert found[0] == found[1]


def test_a_batch_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dagster then stores its events one by one: each is there once."""
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "30")
        monkeypatch.setattr(SqliteEventLogStorage, "store_event_batch", store_event_batch)

        def failing(*_: Any) -> None:
            raise sqlite3.OperationalError("disk is full")

        monkeypatch.setattr(event_log, "_newest", failing)
        run(instance)
    events = rows_of(tmp_path)
    for kind in ("events", "own"):
        materialised = [row for row in events[kind] if row[0] == "ASSET_MATERIALIZATION"]
        assert len(materialised) == 40, kind


def test_an_existing_instance_keeps_its_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "7")
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    prepare_instance_home()
    assert (tmp_path / "dagster.yaml").read_text() == "telemetry: {enabled: false}\n"
