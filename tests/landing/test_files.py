"""Which files of the landing folder are looked at, and what is said of the others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sessionization_dagster.landing import LandingError, RawColumn, RawTable, land
from tests.landing.conftest import HEADER, LANDED_AT, Case, csv_row, parquet

NAMES = ["a b", "it's", 'quo"te', "br[a]ck", "st*r", "wh?t", "back\\slash", "ünï—码", "#%20{x,y}", "new\nline", "d=1/x"]


def test_any_file_name_works_in_every_format(case: Case) -> None:
    for place, name in enumerate(NAMES):
        case.write(f"{name}.csv", HEADER + csv_row(str(place)))
        case.write(f"{name}.jsonl.gz", '{"id": "jsonl"}\n')
        case.write(f"{name}-broken.csv", HEADER + "short\n" + csv_row("row by row"))
        case.write(f"{name}.parquet", parquet(id=["parquet"]))
    # What some of the names would match if they were patterns.
    for other in ("brack.csv", "star.csv", "what.csv"):
        case.write(other, HEADER + csv_row("other"))
    report = case.land_tracks()
    assert (report.files_loaded, report.files_unreadable, report.rows_rejected) == (47, 0, 11)
    for place, name in enumerate(NAMES):
        path = f"shop/tracks/{name}".replace("'", "''")
        ids = f"select id from raw.shop_tracks where starts_with(source_file, '{path}') order by source_file"
        assert [row[0] for row in case.query(ids)] == ["row by row", str(place), "jsonl", "parquet"]


def test_files_may_lie_at_any_depth_and_case_of_the_ending_is_free(case: Case) -> None:
    case.write("2024/01/x.CSV", HEADER + csv_row("a"))
    case.write("y=1/id=2/z.Parquet", parquet(id=["b"]))
    assert case.land().problems == []
    assert case.rows() == ["a", "b"]


def test_other_names_are_reported_and_markers_are_not(case: Case) -> None:
    case.write("a.csv", HEADER)
    case.write("b.csv.tmp", "x")
    case.write("c.csv~", "x")
    leftovers = (
        "_SUCCESS",
        ".a.csv.crc",
        "_metadata",
        ".b.csv.part",
        "2024/_temporary/0/b.csv",
        "_spark_metadata/00.parquet",
    )
    for silent in (*leftovers, ".hive-staging_7/b.csv", "_notes/readme.txt"):
        case.write(silent, "x")
    report = case.land()
    assert [path for path, _ in report.ignored_files] == ["shop/tracks/b.csv.tmp", "shop/tracks/c.csv~"]
    assert "shop/tracks/c.csv~: ignored, its name is that of a file that is still being written" in report.problems[1]


def test_data_with_a_name_like_a_marker_are_reported(case: Case) -> None:
    case.write("new/a.csv", HEADER + csv_row("a"))
    for hidden in (
        "_part-0.parquet",
        "2024/.b.CSV.gz",
        "_backup/1/a.jsonl",
        "_backup/2/b.jsonl",
        "_notes/_temporary/b.csv",
    ):
        case.write(hidden, "x")
    # Never in the place of the folder that it leads to.
    (case.folder / "shop/tracks/_latest").symlink_to(case.folder / "shop/tracks/new")
    for outside in ("_old", "shop/_old", ".old/tracks"):
        case.write("a.csv", "x", table=outside)
    report = case.land()
    assert case.rows("source_file") == ["shop/tracks/new/a.csv"]
    assert [path.removeprefix("shop/tracks/") for path, _ in report.ignored_files] == [
        "2024/.b.CSV.gz", "_backup", "_latest", "_part-0.parquet",
    ]  # fmt: skip
    assert "shop/tracks/_backup: ignored, its name begins with . or _" in report.problems[1]
    assert "rename it" in report.problems[1]


@pytest.mark.parametrize("hidden", ["_b.csv", ".b.jsonl.gz", "2024/_b.parquet", "_backup/b.csv"])
@pytest.mark.parametrize("folder", ["shop/Tracks", "Shop/tracks"])
def test_a_misspelt_folder_is_reported_though_its_data_are_hidden(case: Case, folder: str, hidden: str) -> None:
    case.write("a.csv", HEADER + csv_row("a"))
    case.write(hidden, "x", table=folder)
    for silent in ("_SUCCESS", "_temporary/0/b.csv", "_notes/readme.txt"):
        case.write(silent, "x", table="shop/done")
    [problem] = case.land().problems
    assert problem.startswith(("shop/Tracks/: no such table", "Shop/: no such source"))


def test_files_outside_a_table_folder_are_reported(case: Case) -> None:
    case.write("a.csv", HEADER)
    for name in ("b.csv", "_c.csv", "_SUCCESS"):
        case.write(name, HEADER, table="shop")
    ignored = case.land().ignored_files
    assert sorted(path for path, _ in ignored) == ["shop/_c.csv", "shop/b.csv"]
    assert {reason.split(";")[0] for _, reason in ignored} == {"it lies outside a table's folder"}


def test_unknown_folders_are_reported_with_the_allowed_names(case: Case) -> None:
    case.write("a.csv", HEADER)
    case.write("a.csv", HEADER, table="shop/trakcs")
    case.write("a.csv", HEADER, table="shpo/tracks")
    case.write("a.csv", HEADER, table="_tmp/tracks")
    problems = case.land().problems
    assert problems == [
        "shop/trakcs/: no such table; allowed are tracks. "
        "Rename the folder, or move it out of the landing folder where its rows are no events",
        "shpo/: no such source; allowed are shop. Rename the folder, or add the source to SESSIONIZATION_SOURCES",
    ]


def test_a_name_that_is_not_utf8_is_ignored_with_a_reason(case: Case) -> None:
    case.write("a.csv", HEADER)
    with open(os.fsencode(case.folder / "shop/tracks") + b"/\xff.csv", "wb"):
        pass
    assert case.land().ignored_files == (("shop/tracks/\\xff.csv", "its name is not UTF-8; rename it"),)


def test_links_are_followed_but_not_in_circles(case: Case, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "a.csv").write_text(HEADER + csv_row("a"))
    folder = case.folder / "shop/tracks"
    folder.mkdir(parents=True)
    (folder / "linked").symlink_to(elsewhere)
    (folder / "self").symlink_to(folder)
    (folder / "dangling.csv").symlink_to(tmp_path / "nowhere")
    os.mkfifo(folder / "pipe.csv")
    report = case.land()
    assert case.rows("id, source_file") == [("a", "shop/tracks/linked/a.csv")]
    assert [path for path, _ in report.ignored_files] == [
        "shop/tracks/self",
        "shop/tracks/dangling.csv",
        "shop/tracks/pipe.csv",
    ]


def test_a_missing_folder_stops_the_landing_and_changes_nothing(case: Case) -> None:
    case.write("a.csv", HEADER + csv_row("a"))
    case.land()
    before = case.state()
    with pytest.raises(LandingError, match=r"nowhere does not exist; expected <landing>/<source>/<table>"):
        land(case.connection, case.folder / "nowhere", case.tables, LANDED_AT)
    assert case.state() == before


def test_a_folder_without_data_files_stops_the_landing_and_changes_nothing(case: Case) -> None:
    path = case.write("a.csv", HEADER + csv_row("a"))
    case.land()
    before = case.state()
    path.rename(path.with_suffix(".bak"))
    case.write("a.csv", HEADER, table="shpo/tracks")
    with pytest.raises(LandingError, match=r"holds no data file for shop_tracks.*shpo/: no such source.*Nothing was"):
        case.land()
    assert case.state() == before


def test_a_folder_that_cannot_be_listed_stops_the_landing(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    case.write("a.csv", HEADER)
    case.write("b/a.csv", HEADER)
    scandir = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("/b"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(LandingError, match="tracks/b cannot be listed"):
        case.land()


def test_each_table_gets_its_own_files(case: Case) -> None:
    events = RawTable("web", "events", (RawColumn("name", "VARCHAR", required=True),))
    case.tables = [*case.tables, events]
    case.write("a.csv", HEADER + csv_row("a"))
    case.write("a.csv", "name,more\nclick,1\n", table="web/events")
    report = case.land()
    assert list(report.tables) == ["shop_tracks", "web_events"]
    assert case.rows() == ["a"]
    assert case.query("select name, properties from raw.web_events") == [("click", '{"more":"1"}')]
