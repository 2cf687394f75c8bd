"""Checks of landed files: what is not read, lies in no table's folder or went away is named, and what is well is not."""

from __future__ import annotations

import json
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest

from sessionization_dagster.defs.landing_checks import (
    FILES_IN_TABLE_FOLDERS,
    FILES_READABLE,
    FILES_STILL_THERE,
    REJECTS,
    file_check_results,
    file_check_specs,
)
from sessionization_dagster.landing import RawColumn, RawTable
from tests.landing.conftest import HEADER, TRACKS, Case, case, csv_row, warehouse

__all__ = ["case", "warehouse"]
WITH_IDS = RawTable(
    "shop",
    "tracks",
    (
        RawColumn("id", "VARCHAR", required=True, event_id=True),
        RawColumn("anonymous_id", "VARCHAR", identifier=True),
        RawColumn("user_id", "VARCHAR", identifier=True),
        RawColumn("timestamp", "TIMESTAMP", required=True),
    ),
)
KEY = dg.AssetKey(["raw", TRACKS.name])


def results(case: Case, held: list[dict[str, Any]] | None = None) -> dict[str, dg.AssetCheckResult]:
    """Check -> its result after a landing."""
    report = case.land()
    keys = [spec.key for spec in file_check_specs({KEY: TRACKS}, "landing folder")]
    assert {key.asset_key for key in keys} == {KEY, REJECTS}
    found = file_check_results(keys, {KEY: TRACKS}, report, {TRACKS.name: held or []})
    return {str(result.check_name): result for result in found}


def text(result: dg.AssetCheckResult) -> str:
    return str(result.metadata["first"].value)


@pytest.fixture
def sound(case: Case) -> Case:
    case.write("a.csv", HEADER + csv_row("a"))
    return case


def test_all_is_well(sound: Case) -> None:
    sound.write("_SUCCESS", "")
    (sound.folder / "shpo").mkdir()
    (sound.folder / "shop/tracks/again").symlink_to(sound.folder / "shop/tracks")
    found = results(sound)
    assert [result.passed for result in found.values()] == [True] * 3
    assert not any("first" in result.metadata for result in found.values())


def test_a_data_file_that_is_not_read_fails_the_check_of_its_table(sound: Case) -> None:
    sound.write("_part.csv", "x")
    sound.write("notes.csv.tmp", "x")
    found = results(sound, [{"source_file": "shop/tracks/b.csv", "source_line": 3, "error": "torn"}])
    assert {name for name, result in found.items() if not result.passed} == {FILES_READABLE}
    assert found[FILES_READABLE].metadata["not_read"].value == 2
    assert found[FILES_READABLE].metadata["unreadable"].value == 1
    assert all(name in text(found[FILES_READABLE]) for name in ("shop/tracks/_part.csv", "notes.csv.tmp", "b.csv | 3"))


@pytest.mark.parametrize("name", ["b.csv", "b.jsonl", "b.parquet"])
def test_a_name_that_is_nearly_a_columns_is_reported_in_the_run_that_loads_it(sound: Case, name: str) -> None:
    """A property may be called so, and be anybody's id: it is not taken for the column."""
    row = {
        "id": "b",
        "timestamp": "2024-01-31 12:00:00",
        "anonymous_id": "d",
        "userId": "ann",
        "USER ID": "ann",
        "Anonymous-Id": "x",
    }
    csv = f"{','.join(row)}\n{','.join(row.values())}\n"
    written = {
        "csv": csv,
        "jsonl": json.dumps(row) + "\n",
        "parquet": pa.table({key: [value] for key, value in row.items()}),
    }
    sound.tables = (WITH_IDS,)
    sound.write(name, written[name.partition(".")[2]])
    found = results(sound)[FILES_READABLE]
    assert (found.passed, found.metadata["near_misses"].value) == (False, 2)
    assert f"shop/tracks/{name} | column | 'userId' is kept as a property, and not read as 'user_id'" in text(found)
    assert results(sound)[FILES_READABLE].passed


def test_folders_and_files_of_no_table_are_named(sound: Case) -> None:
    for table in ("shpo/tracks", "shop/track", "shop"):
        sound.write("b.csv", "x", table=table)
    found = results(sound)
    assert {name for name, result in found.items() if not result.passed} == {FILES_IN_TABLE_FOLDERS}
    assert found[FILES_IN_TABLE_FOLDERS].metadata["passed_over"].value == 3
    assert all(f"{name}" in text(found[FILES_IN_TABLE_FOLDERS]) for name in ("shpo/:", "shop/track/:", "shop/b.csv:"))


def test_a_file_that_went_away_is_named_and_fails_the_check_once(sound: Case) -> None:
    path = sound.write("b.csv", HEADER + csv_row("b"))
    sound.land()
    path.unlink()
    first, later = results(sound)[FILES_STILL_THERE], results(sound)[FILES_STILL_THERE]
    assert (first.passed, later.passed) == (False, True)
    assert "shop/tracks/b.csv | now" in text(first)
    assert "shop/tracks/b.csv | before" in text(later)
