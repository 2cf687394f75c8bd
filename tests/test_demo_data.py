"""`make clean` removes what a demo made, and nothing that anybody else did. The demo is pretended; test_demo.py runs it."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import duckdb
import pytest

from sessionization_dagster.cli.dagster_home import prepare_instance_home
from sessionization_dagster.cli.demo_data import Made, clean, main, run_ids

ROOT = Path(__file__).resolve().parents[1]


@dg.job
def nothing() -> None:
    """A run of no step."""


class Data:
    """The folder data/, as the Makefile's defaults have it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nothing is there yet."""
        self.folder = folder
        self.home = folder / "dagster"
        self.warehouse = folder / "sessionization.duckdb"
        monkeypatch.setenv("DAGSTER_HOME", str(self.home))

    def land(self, name: str) -> Path:
        path = self.folder / "landing" / "rudderstack" / "tracks" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        return path

    def run(self) -> None:
        """As `make run`: a warehouse with the landed files, a report, and a run."""
        prepare_instance_home()
        with duckdb.connect(str(self.warehouse)) as connection:
            connection.execute("create schema if not exists raw")
            connection.execute("create or replace table raw.landed_files (source_file varchar, size_bytes bigint)")
            for path in (self.folder / "landing").rglob("*.*"):
                name = path.relative_to(self.folder / "landing").as_posix()
                connection.execute("insert into raw.landed_files values (?, ?)", [name, path.stat().st_size])
        (self.folder / "reports").mkdir(exist_ok=True)
        (self.folder / "reports" / "latest.html").write_text("")
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            assert nothing.execute_in_process(instance=instance).success

    def demo(self) -> None:
        made = Made.load(self.home) or Made(home=not self.home.exists())
        if not self.warehouse.exists():
            made.warehouse = str(self.warehouse)
        prepare_instance_home()
        made.add_files(self.folder / "landing", [self.land("ecom_login.parquet")])
        before = run_ids(self.home)
        self.run()
        made.runs += sorted(run_ids(self.home) - before)
        made.save(self.home)

    def names(self) -> set[str]:
        """The files, but for those of Dagster."""
        found = {path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file()}
        return {name for name in found if not name.startswith("dagster/")}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Data:
    (tmp_path / "data").mkdir()
    return Data(tmp_path / "data", monkeypatch)


def test_after_a_demo_nothing_is_left(data: Data) -> None:
    data.demo()
    data.demo()
    assert clean(data.home) == []
    assert not data.folder.exists()


def test_own_data_in_the_default_folders_stay(data: Data, capsys: pytest.CaptureFixture[str]) -> None:
    data.land("mine.csv")
    data.run()
    before, runs = data.names(), run_ids(data.home)
    assert main() == 0
    assert "no record of a demo" in capsys.readouterr().out
    assert (data.names(), run_ids(data.home)) == (before, runs)


def test_own_data_beside_a_demos_stay(data: Data) -> None:
    data.demo()
    data.land("mine.csv")
    data.run()
    left = clean(data.home)
    assert data.names() == {"landing/rudderstack/tracks/mine.csv", "sessionization.duckdb", "reports/latest.html"}
    assert any("sessionization.duckdb: holds rows of files that no demo landed" in text for text in left)
    assert len(run_ids(data.home)) == 2


def test_own_data_before_a_demos_stay(data: Data) -> None:
    data.land("mine.csv")
    data.run()
    data.demo()
    clean(data.home)
    assert data.names() == {"landing/rudderstack/tracks/mine.csv", "sessionization.duckdb", "reports/latest.html"}
    assert len(run_ids(data.home)) == 2


def test_what_came_to_a_demos_folders_later_stays(data: Data) -> None:
    data.demo()
    sample = data.folder / "landing/rudderstack/tracks/ecom_login.parquet"
    sample.write_text("other rows")
    (data.folder / "reports" / "notes.txt").write_text("")
    data.land("not_run_yet.csv")
    assert f"{sample}: changed since the demo landed it" in clean(data.home)
    assert data.names() == {
        "landing/rudderstack/tracks/ecom_login.parquet", "landing/rudderstack/tracks/not_run_yet.csv", "reports/notes.txt",
    }  # fmt: skip


def test_a_warehouse_in_use_is_left_whole(data: Data, capsys: pytest.CaptureFixture[str]) -> None:
    data.demo()
    before = data.names()
    data.warehouse.write_bytes(b"no warehouse at all")
    assert main() == 1
    assert "Nothing was removed" in capsys.readouterr().err
    assert data.names() == before


def test_the_recipe_removes_no_folder_of_data() -> None:
    recipe = (ROOT / "Makefile").read_text().split("\nclean:")[1].split("\n\n")[0]
    removed = [word for line in recipe.splitlines() if "rm -rf" in line for word in line.split()[2:]]
    assert removed == [
        "dbt_project/target",
        "dbt_project/logs",
        ".pytest_cache",
        ".mypy_cache",
        ".ruff_cache",
        ".emulator",
        ".site",
        "site",
    ]
    assert "-m sessionization_dagster.cli.demo_data" in recipe
