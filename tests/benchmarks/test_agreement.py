"""The floor makes the project's rows: by the project's own command, day by day, on a few made events. And a difference is found."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from benchmarks.agreement import TABLES, TablesDiffer, digests, require_equal
from benchmarks.dataframes import LIBRARIES
from benchmarks.generator import Settings, generate
from benchmarks.merges import write_merges
from benchmarks.recorder import Record, Recorder, read_records
from benchmarks.sql_build import build
from benchmarks.warehouse import BenchmarkWarehouse


def test_ours_floor_and_data_frames_make_the_same_rows(tmp_path: Path) -> None:
    made = tmp_path / "made"
    days = generate(Settings(events=6_000, days=6), made)
    recorder = Recorder(tmp_path / "results.json", tmp_path / "work")
    recorder.machine()
    warehouse = BenchmarkWarehouse(tmp_path / "ours", made, days[0], days[-1] + timedelta(days=1))
    warehouse.link(days[:4])
    full = warehouse.run(recorder, "full", "ours", (days[0], days[3]))
    warehouse.link(days[4:])
    # The next two days, and one of nothing but merges.
    merges = write_merges(warehouse, days[-1] + timedelta(days=1), days[1], 10)
    warehouse.run(recorder, "one more day", "ours", (days[4], days[-1] + timedelta(days=1)))

    build("floor", warehouse.landing, tmp_path / "floor.duckdb")
    rows = require_equal(warehouse.database, tmp_path / "floor.duckdb")
    assert set(rows) == set(TABLES)
    build("floor, one pass", warehouse.landing, tmp_path / "one_pass.duckdb")
    assert require_equal(warehouse.database, tmp_path / "one_pass.duckdb") == rows
    assert rows["dbt_track_facts"] > 5_000
    assert merges.devices == 10
    assert merges.later_events >= 10

    _assert_sessions_equal(warehouse.landing, tmp_path)
    _assert_seed_is_near(warehouse.landing, tmp_path)
    _assert_parts_add_up(full)
    assert [record["scenario"] for record in read_records(recorder.results)] == ["machine", "full", "one more day"]
    with duckdb.connect(str(tmp_path / "floor.duckdb")) as connection:
        connection.execute(
            "update dbt_tracks_flow set event_5 = 'other' where event_id = (select min(event_id) from dbt_tracks_flow)"
        )
    with pytest.raises(TablesDiffer, match="dbt_tracks_flow"):
        require_equal(warehouse.database, tmp_path / "floor.duckdb")


def _assert_sessions_equal(landing: Path, folder: Path) -> None:
    for name, make in LIBRARIES.items():
        pytest.importorskip(name)
        make(landing, folder / f"{name}.parquet")
        with duckdb.connect(str(folder / "floor.duckdb"), read_only=True) as connection:
            floor = """
                select session_id, session_start_at, ended_at, num_pvs
                from dbt_session_tracks inner join dbt_session_track_facts using (session_id)"""
            frame = (
                f"select number || ' - ' || visitor, session_start_at, ended_at, events from '{folder / name}.parquet'"
            )
            assert (
                connection.execute(f"({floor} except all {frame}) union all ({frame} except all {floor})").fetchall()
                == []
            )


def _assert_seed_is_near(landing: Path, folder: Path) -> None:
    """The same devices, and about as many sessions: it counts minutes and copies otherwise."""
    build("seed", landing, folder / "seed.duckdb")
    with duckdb.connect(str(folder / "seed.duckdb")) as connection:
        connection.execute(f"attach '{folder / 'floor.duckdb'}' as floor (read_only)")
        mapping = "select alias, dbt_visitor_id from {}dbt_aliases_mapping"
        difference = f"{mapping.format('')} except {mapping.format('floor.')}"
        assert connection.execute(difference).fetchall() == []
        counts = connection.execute(
            "select (select count(*) from dbt_session_tracks) / (select count(*) from floor.dbt_session_tracks)"
        ).fetchone()
    assert counts is not None
    assert 0.98 < counts[0] < 1.02


def _assert_parts_add_up(record: Record) -> None:
    parts = record["parts"]
    named = ("start", "landing", "identity", "models", "tests", "dbt", "dagster")
    assert all(parts[name] > 0 for name in named)
    assert sum(parts[name] for name in named) <= record["seconds"]
    assert 0 < parts["statements"] <= parts["models"]
    assert {"events", *TABLES} <= set(parts["models_split"])
    assert record["peak_bytes"] > 2**27
    assert json.dumps(record)


def test_a_row_that_occurs_twice_shows_in_the_checksum(tmp_path: Path) -> None:
    generate(Settings(events=500, days=2), tmp_path / "made")
    build("floor", tmp_path / "made", tmp_path / "floor.duckdb")
    before = digests(tmp_path / "floor.duckdb")
    with duckdb.connect(str(tmp_path / "floor.duckdb")) as connection:
        connection.execute("insert into dbt_track_facts from dbt_track_facts limit 2")
    after = digests(tmp_path / "floor.duckdb")
    assert after["dbt_track_facts"].rows == before["dbt_track_facts"].rows + 2
    assert after["dbt_track_facts"].checksum != before["dbt_track_facts"].checksum
