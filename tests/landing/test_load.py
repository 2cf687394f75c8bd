"""Landing again and again: unchanged, changed, removed and broken files, interruptions and changed declarations."""

from __future__ import annotations

import dataclasses
import gzip
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import ModuleType

import duckdb
import pytest

from sessionization_dagster.landing import RawColumn, RemovedFiles, land, ledger, load, rows, text
from sessionization_dagster.landing.data_file import DataFile
from tests.landing.conftest import HEADER, LANDED_AT, TRACKS, Case, csv_row, parquet


def rebuilt(case: Case) -> Case:
    """The same folder landed into an empty warehouse."""
    fresh = Case(case.folder, tables=case.tables)
    fresh.land()
    return fresh


def test_columns_and_ledger(case: Case) -> None:
    path = case.write("a.csv", HEADER + csv_row("a") + "x\n")
    case.land()
    described = case.query("select column_name, column_type from (describe raw.shop_tracks)")
    assert described == [
        ("id", "VARCHAR"),
        ("user_id", "VARCHAR"),
        ("timestamp", "TIMESTAMP"),
        ("price", "DOUBLE"),
        ("quantity", "BIGINT"),
        ("device", "JSON"),
        ("properties", "JSON"),
        ("source_file", "VARCHAR"),
        ("source_row", "BIGINT"),
    ]
    status = path.stat()
    assert case.query("select * from raw.landed_files") == [
        ("shop", "tracks", "shop/tracks/a.csv", status.st_size, status.st_mtime_ns, "loaded", 1, 1, LANDED_AT)
    ]
    assert case.query("select * exclude (error) from raw.landing_rejects") == [
        ("shop", "tracks", "shop/tracks/a.csv", 3, "x", LANDED_AT)
    ]


def test_an_unchanged_file_is_not_opened_again(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    case.write("a.csv", HEADER + csv_row("a") + "x\n")
    case.write("b.parquet", parquet(id=["b"]))
    case.write("c.csv", "")
    case.land()
    before = case.state()
    monkeypatch.setattr(rows, "load_whole", None)
    report = case.land()
    tracks = report.tables["shop_tracks"]
    assert (tracks.files_loaded, tracks.files_unchanged, tracks.files_unreadable, tracks.rows_loaded) == (0, 2, 1, 0)
    assert (tracks.rows_rejected, tracks.rejects_held) == (0, 2)
    assert [problem.split(":")[0] for problem in report.problems] == ["shop/tracks/c.csv"]
    assert case.state() == before


def test_a_changed_file_replaces_its_rows_and_rejects(case: Case) -> None:
    path = case.write("a.csv", HEADER + csv_row("a") + csv_row("b") + "x\n")
    case.write("b.csv", HEADER + csv_row("c"))
    case.land()
    path.write_text(HEADER + csv_row("A") + csv_row("B") + "y\n")
    case.touch(path)
    report = case.land_tracks()
    assert (report.files_loaded, report.files_unchanged) == (1, 1)
    assert case.rows() == ["A", "B", "c"]
    assert case.rejects("content") == ["y"]
    assert case.state() == rebuilt(case).state()


@pytest.mark.parametrize("change", ["size", "time"])
def test_size_or_time_reveals_a_changed_file(case: Case, change: str) -> None:
    path = case.write("a.csv", HEADER + csv_row("a"))
    case.land()
    status = path.stat()
    path.write_text(HEADER + (csv_row("bb") if change == "size" else csv_row("b")))
    if change == "size":
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    else:
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert case.land_tracks().files_loaded == 1


def test_a_vanished_file_loses_its_rows(case: Case) -> None:
    gone = [case.write(name, HEADER + csv_row(name) + "x\n") for name in ("a.csv", "b.csv")]
    broken = case.write("c.csv", "")
    case.write("d.csv", HEADER + csv_row("d"))
    case.land()
    case.removed = RemovedFiles.REMOVE
    for path in [*gone, broken]:
        path.unlink()
    report = case.land_tracks()
    assert (report.files_removed, report.files_unchanged, report.rejects_held) == (3, 1, 0)
    assert case.rows() == ["d"]
    assert case.rejects() == []
    assert "shop/tracks/a.csv: rows removed, the file was removed" in case.messages
    assert case.state() == rebuilt(case).state()


def test_a_moved_file_moves_its_rows(case: Case) -> None:
    path = case.write("a.csv", HEADER + csv_row("a"))
    case.land()
    path.rename(path.with_name("b.csv"))
    case.land()
    assert case.rows("id, source_file") == [("a", "shop/tracks/b.csv")]


def test_a_file_that_breaks_loses_its_rows_and_one_that_heals_gets_them_back(case: Case) -> None:
    path = case.write("a.csv", HEADER + csv_row("a"))
    case.write("b.csv", HEADER + csv_row("b"))
    case.land()
    path.write_text("id\n1\n")
    case.touch(path)
    assert case.land_tracks().files_unreadable == 1
    assert case.rows() == ["b"]
    [error] = case.rejects("error")
    assert error.startswith("missing required columns 'user_id', 'timestamp'")
    assert error.endswith(". None of its rows are loaded")
    assert case.messages[-1].endswith("the rows it had before it changed are removed")
    assert case.state() == rebuilt(case).state()
    path.write_text(HEADER + csv_row("a"))
    case.touch(path)
    assert case.land().problems == []
    assert case.rows() == ["a", "b"]
    assert case.state() == rebuilt(case).state()


class Killed(BaseException):
    """What no handler of errors may swallow."""


def kill_after(case: Case, monkeypatch: pytest.MonkeyPatch, module: ModuleType, moment: str) -> None:
    """Land, and die right after the first call of a module's function."""
    original = getattr(module, moment)

    def interrupted(*arguments: object) -> None:
        original(*arguments)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(module, moment, interrupted)
        with pytest.raises(Killed):
            case.land()


@pytest.mark.parametrize("moment", ["remove_rows", "record", "_number_rows"])
def test_a_kill_leaves_each_file_wholly_in_or_wholly_out(
    case: Case, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    case.write("a.csv", HEADER + csv_row("a") + "x\n")
    changed = case.write("b.csv", HEADER + csv_row("b"))
    case.land()
    before = case.state()
    changed.write_text(HEADER + csv_row("B1") + csv_row("B2"))
    case.touch(changed)
    case.write("c.csv", HEADER + csv_row("c"))
    kill_after(case, monkeypatch, rows if moment == "_number_rows" else ledger, moment)
    assert case.state() == before
    case.land()
    assert case.rows() == ["a", "B1", "B2", "c"]
    assert case.state() == rebuilt(case).state()


def test_a_kill_between_two_batches_of_a_broken_file(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    case.write("a.csv", HEADER + csv_row("a"))
    case.land()
    before = case.state()
    case.write("b.csv", HEADER + "x\n" + csv_row("b") * 10)
    monkeypatch.setattr(rows, "BATCH_RECORDS", 4)
    split = rows._split
    calls: list[int] = []

    def interrupted(*arguments: object) -> tuple[int, int]:
        calls.append(1)
        if len(calls) == 3:
            raise Killed
        return split(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(rows, "_split", interrupted)
        with pytest.raises(Killed):
            case.land()
    assert case.state() == before
    case.land()
    assert case.state() == rebuilt(case).state()


def test_files_before_the_interruption_stay_loaded(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.csv", "b.csv"):
        case.write(name, HEADER + csv_row(name))
    whole = rows.load_whole

    def interrupted(session: object, probe: object, file: object, *rest: object) -> tuple[int, int]:
        if file.source_file.endswith("b.csv"):  # type: ignore[attr-defined]
            raise Killed
        return whole(session, probe, file, *rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(rows, "load_whole", interrupted)
        with pytest.raises(Killed):
            case.land()
    assert case.rows() == ["a.csv"]
    assert case.land_tracks().files_loaded == 1


def test_a_warehouse_file_survives_reopening(case: Case, tmp_path: Path) -> None:
    case.write("a.csv", HEADER + csv_row("a") + "x\n")
    case.write("b.jsonl", '{"id": "b"}\n')
    with duckdb.connect(tmp_path / "w.duckdb") as connection:
        land(connection, case.folder, case.tables, LANDED_AT)
    case.connection = duckdb.connect(tmp_path / "w.duckdb")
    assert case.land_tracks().files_unchanged == 2
    assert case.rows() == ["a", "b"]


def test_a_new_column_is_filled_from_the_files_that_are_there(case: Case) -> None:
    case.tables = [dataclasses.replace(TRACKS, columns=TRACKS.columns[:3])]
    case.write("a.csv", HEADER + csv_row("a"))
    case.land()
    assert case.rows("properties") == ['{"price":"1.5"}']
    case.tables = [TRACKS]
    case.land()
    assert case.rows("id, price, properties") == [("a", 1.5, None)]
    columns = case.query("select column_name from (describe raw.shop_tracks)")
    assert columns[-3:] == [("price",), ("quantity",), ("device",)]
    case.connection.execute("insert into raw.landing_rejects select * from raw.landing_rejects")
    assert case.land_tracks().files_unchanged == 1


@pytest.mark.parametrize("columns", [TRACKS.columns[:3], (*TRACKS.columns[:3], RawColumn("price", "VARCHAR"))])
def test_a_column_that_goes_or_changes_type_makes_the_table_anew(case: Case, columns: tuple[RawColumn, ...]) -> None:
    case.write("a.csv", HEADER + csv_row("a"))
    case.write("b.csv", "")
    case.land()
    case.tables = [dataclasses.replace(TRACKS, columns=columns)]
    assert case.land_tracks().files_loaded == 1
    assert case.state() == rebuilt(case).state()


@pytest.mark.parametrize("lost", ["landed_files", "shop_tracks"])
def test_a_table_that_somebody_dropped_comes_back(case: Case, lost: str) -> None:
    case.write("a.csv", HEADER + csv_row("a"))
    case.write("b.csv", HEADER + csv_row("b"))
    case.land()
    case.connection.execute(f"drop table raw.{lost}")
    case.land()
    assert case.state() == rebuilt(case).state()


def test_settings_of_the_connection_are_left_alone(case: Case) -> None:
    case.connection.execute("set TimeZone = 'Asia/Tokyo'; set preserve_insertion_order = false")
    case.write("a.csv", HEADER + csv_row("a"))
    case.land()
    settings = "select current_setting('TimeZone'), current_setting('preserve_insertion_order')"
    assert case.query(settings) == [("Asia/Tokyo", False)]


def test_landed_at_is_stored_in_utc(case: Case) -> None:
    case.write("a.csv", HEADER)
    land(case.connection, case.folder, case.tables, datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=2))))
    assert case.query("select landed_at from raw.landed_files") == [(datetime(2023, 12, 31, 22),)]


def test_a_file_that_may_not_be_opened_is_tried_again(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    case.write("a.csv", HEADER + csv_row("a"))

    def refuse(*arguments: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(text, "open", refuse, raising=False)
        assert case.land_tracks().files_unreadable == 1
    assert case.rejects("error")[0].startswith("cannot be read (Permission denied)")
    assert case.land_tracks().files_loaded == 1
    assert (case.rows(), case.rejects()) == (["a"], [])


def test_a_failure_of_the_warehouse_is_no_fault_of_the_file(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    case.write("a.csv", HEADER + csv_row("a"))

    def full(*arguments: object) -> None:
        raise duckdb.IOException("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(rows, "_execute_insert", full)
        with pytest.raises(duckdb.IOException, match="No space"):
            case.land()
    assert case.query("select count(*) from raw.landed_files") == [(0,)]
    assert case.land_tracks().rows_loaded == 1


def test_files_of_json_lines_are_loaded_together(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    case.write("hour=1/a [1].jsonl", '{"id": "a", "price": 2.5, "shade": "red"}\n\n{"id": "b"}\n')
    case.write("hour=1/b.jsonl", "\n")
    # Other keys, and a key in another case.
    case.write("hour=1/it's.jsonl", '{"Id": "c", "size": null, "shape": "u"}')
    case.write("hour=2/d.jsonl.gz", gzip.compress(b'{"id": "d"}\n'))
    case.write("hour=2/e.jsonl.gz", gzip.compress(b'{"id": "e"}\n{"id": "f", "day": 3}\n'))
    with monkeypatch.context() as patch:
        patch.setattr(rows, "load_whole", None)
        report = case.land_tracks()
    assert (report.files_loaded, report.rows_loaded, report.rows_rejected) == (5, 6, 0)
    assert case.rows("regexp_extract(source_file, '[^/]*$'), source_row, id, price, properties") == [
        ("a [1].jsonl", 1, "a", 2.5, '{"shade":"red","hour":"1"}'), ("a [1].jsonl", 2, "b", None, '{"hour":"1"}'),
        ("it's.jsonl", 1, "c", None, '{"shape":"u","hour":"1"}'),
        ("d.jsonl.gz", 1, "d", None, '{"hour":"2"}'), ("e.jsonl.gz", 1, "e", None, '{"hour":"2"}'), 
        ("e.jsonl.gz", 2, "f", None, '{"day":3,"hour":"2"}'),
    ]  # fmt: skip
    together = case.query("select * from raw.shop_tracks order by source_file, source_row")
    monkeypatch.setattr(load, "TOGETHER_FILES", 1)
    assert rebuilt(case).query("select * from raw.shop_tracks order by source_file, source_row") == together


def test_the_order_of_properties_does_not_depend_on_other_files(case: Case) -> None:
    """A file that is found again under another name is known by them."""
    case.write("hour=1/a.jsonl", '{"id": "a", "Hour": "5", "zz": 1}')
    case.write("hour=1/b.jsonl", '{"id": "b", "zz": 1}')
    case.write("hour=1/c.jsonl", '{"id": "c", "zz": 1}')
    case.land()
    together = case.rows("id, properties")
    assert together[1:] == [("b", '{"zz":1,"hour":"1"}'), ("c", '{"zz":1,"hour":"1"}')]
    (case.folder / "shop/tracks/hour=1/b.jsonl").rename(case.folder / "shop/tracks/hour=1/d.jsonl")
    case.land()
    assert sorted(case.rows("id, properties")) == together


def test_files_of_json_lines_beside_one_that_is_not_clean_are_still_loaded_together(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(8):
        case.write(f"{number}.jsonl", "{broken\n" if number == 2 else f'{{"id": "{number}"}}')
    alone: list[str] = []
    whole = rows.load_whole

    def noted(session: object, probe: object, file: DataFile, *rest: object) -> tuple[int, int]:
        alone.append(file.source_file.removeprefix("shop/tracks/"))
        return whole(session, probe, file, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(rows, "load_whole", noted)
    report = case.land_tracks()
    assert (report.files_loaded, report.rows_loaded, report.rows_rejected) == (8, 7, 1)
    assert alone == ["2.jsonl", "3.jsonl"]
    together = case.state()
    monkeypatch.setattr(load, "TOGETHER_FILES", 1)
    assert together == rebuilt(case).state()


@pytest.mark.parametrize("scalar", ["5", "null", "true", '"s"'])
def test_a_line_that_is_no_object_is_rejected_alone(case: Case, scalar: str) -> None:
    case.write("a.jsonl", f'{scalar}\n{{"id": "a"}}\n')
    case.write("b.jsonl", '{"id": "b"}\n')
    case.land()
    assert case.rows() == ["a", "b"]
    assert case.rejects("source_line") == [1]


def test_many_small_files(case: Case) -> None:
    for number in range(20):
        case.write(f"{number}.csv", HEADER + csv_row("a") * 50)
        case.write(f"{number}.parquet", parquet(id=["a"] * 50))
    assert case.land_tracks().rows_loaded == 2_000
