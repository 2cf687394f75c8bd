"""Landed files that are gone from the folder: their rows stay or go as the setting says, and never by accident."""

from __future__ import annotations

import dataclasses
from datetime import date

import pytest

from sessionization_dagster.landing import LandingError, RawColumn, RemovedFiles
from tests.landing.conftest import HEADER, TRACKS, Case, csv_row, parquet


@pytest.fixture
def filled(case: Case) -> Case:
    """Four files of one row each; b.csv has a row besides that cannot be read."""
    for name in "abcd":
        case.write(f"{name}.csv", HEADER + csv_row(name) + ("x\n" if name == "b" else ""))
    case.write("broken.csv", "")
    case.land()
    return case


def remove(case: Case, *names: str) -> None:
    for name in names:
        (case.folder / "shop/tracks" / f"{name}.csv").unlink()


def statuses(case: Case) -> dict[str, str]:
    found = case.query("select source_file, status from raw.landed_files")
    return {name.removeprefix("shop/tracks/").removesuffix(".csv"): status for name, status in found}


def test_rows_stay_unless_the_setting_says_otherwise_and_the_file_may_come_back(filled: Case) -> None:
    remove(filled, "a", "b", "c", "broken")
    report = filled.land_tracks()
    assert filled.rows() == ["a", "b", "c", "d"]
    assert filled.rejects("content") == ["x"]
    assert report.removed_now == [f"shop/tracks/{name}.csv" for name in ("a", "b", "broken", "c")]
    assert statuses(filled) == {"a": "removed", "b": "removed", "c": "removed", "d": "loaded"}
    assert (report.files_removed, report.files_unchanged, report.rejects_held) == (1, 1, 1)
    assert "shop/tracks/a.csv: gone from the folder; its rows are kept" in filled.messages
    again = filled.land_tracks()
    assert (again.removed_now, len(again.removed_before)) == ([], 3)
    assert filled.query("select count(*) from raw.landing_changes") == [(0,)]
    filled.write("a.csv", HEADER + csv_row("A") + csv_row("A2"))
    assert filled.land_tracks().files_loaded == 1
    assert filled.rows() == ["A", "A2", "b", "c", "d"]
    assert statuses(filled)["a"] == "loaded"


def test_a_file_that_comes_back_as_it_was_is_not_read_again(filled: Case) -> None:
    path = filled.folder / "shop/tracks/a.csv"
    path.rename(filled.folder / "a.csv")
    filled.land()
    (filled.folder / "a.csv").rename(path)
    report = filled.land_tracks()
    assert (report.files_loaded, report.files_unchanged, report.removed_before) == (0, 4, [])
    assert statuses(filled)["a"] == "loaded"


def test_a_file_under_another_name_does_not_double_its_rows(filled: Case) -> None:
    """Told by its rows: another file of the same size takes nobody's place."""
    (filled.folder / "shop/tracks/2024").mkdir()
    (filled.folder / "shop/tracks/a.csv").rename(filled.folder / "shop/tracks/2024/first.csv")
    remove(filled, "c")
    filled.write("other.csv", HEADER + csv_row("e"))
    filled.write("parts/1.parquet", parquet(id=["p"]))
    filled.write("parts/2.parquet", parquet(id=["q"]))
    filled.land()
    assert sorted(filled.rows()) == ["a", "b", "c", "d", "e", "p", "q"]
    moved = filled.folder / "shop/tracks/moved"
    (filled.folder / "shop/tracks/parts").rename(moved)
    filled.land()
    assert sorted(filled.rows("id, source_file"))[-2:] == [
        ("p", "shop/tracks/moved/1.parquet"), ("q", "shop/tracks/moved/2.parquet"),
    ]  # fmt: skip


def test_files_that_are_zipped_in_their_place_do_not_double_their_rows(filled: Case) -> None:
    for name in "abcd":
        path = filled.folder / f"shop/tracks/{name}.csv"
        filled.write(f"{name}.csv.gz", path.read_text())
        path.unlink()
    report = filled.land_tracks()
    assert (filled.rows(), filled.rejects("content")) == (["a", "b", "c", "d"], ["x", None])
    assert (report.files_removed, report.removed_now, set(filled.rows("right(source_file, 3)"))) == (4, [], {".gz"})


def test_rows_of_files_that_are_gone_outlive_a_changed_declaration(filled: Case) -> None:
    remove(filled, "a", "c")
    filled.land()
    for columns in (TRACKS.columns[:3], (*TRACKS.columns[:3], RawColumn("price", "VARCHAR")), TRACKS.columns):
        filled.tables = [dataclasses.replace(TRACKS, columns=columns)]
        filled.land()
        shown = "price" if len(columns) > 3 else "properties ->> 'price'"
        assert filled.rows(f"id, cast({shown} as varchar)") == [(name, "1.5") for name in "abcd"]
    assert filled.rows("properties") == [None] * 4


def test_with_remove_the_rows_go(filled: Case) -> None:
    filled.removed = RemovedFiles.REMOVE
    remove(filled, "a", "broken")
    report = filled.land_tracks()
    assert filled.rows() == ["b", "c", "d"]
    assert (report.files_removed, len(report.removed_now)) == (2, 2)


def test_with_remove_all_rows_of_a_table_may_go_but_not_those_of_all_tables(filled: Case) -> None:
    """A folder without any data file may be a disk that is not mounted."""
    other = dataclasses.replace(TRACKS, table="pages")
    filled.tables = [other, TRACKS]
    filled.write("a.csv", HEADER + csv_row("z"), table="shop/pages")
    filled.land()
    filled.removed = RemovedFiles.REMOVE
    remove(filled, *"abcd", "broken")
    report = filled.land_tracks()
    assert (filled.rows(), len(report.removed_now)) == ([], 5)
    (filled.folder / "shop/pages/a.csv").unlink()
    before = filled.state()
    with pytest.raises(LandingError, match="holds no data file"):
        filled.land()
    assert filled.state() == before


def test_what_was_kept_goes_once_the_setting_says_remove(filled: Case) -> None:
    filled.tables = [dataclasses.replace(TRACKS, at="timestamp")]
    remove(filled, "a")
    filled.land()
    filled.removed = RemovedFiles.REMOVE
    filled.land()
    assert filled.rows() == ["b", "c", "d"]
    assert filled.query("select change, day from raw.landing_changes") == [("withdrawn", date(2024, 1, 1))]
