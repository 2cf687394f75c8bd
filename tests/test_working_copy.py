"""One's own models beside the project's, in a folder that may be written."""

from __future__ import annotations

from pathlib import Path

import pytest

from sessionization_dagster.dbt.project import DbtProject
from sessionization_dagster.dbt.working_copy import working_copy
from sessionization_dagster.errors import SettingsError
from sessionization_dagster.settings.environment import Environment


def files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    folder = tmp_path / "ours"
    (folder / "models" / "core").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text("name: ours")
    (folder / "models" / "core" / "events.sql").write_text("select 1")
    (folder / "target").mkdir()
    (folder / "target" / "manifest.json").write_text("{}")
    return folder


def test_it_has_both_and_follows_them(ours: Path, tmp_path: Path) -> None:
    own, copy = tmp_path / "own", tmp_path / "copy"
    (own / "models" / "mine").mkdir(parents=True)
    (own / "models" / "mine" / "a.sql").write_text("select 2")
    (own / "notes.txt").write_text("not for dbt")
    working_copy(ours, own, copy)
    expected = {"dbt_project.yml": "name: ours", "models/core/events.sql": "select 1", "models/mine/a.sql": "select 2"}
    assert files(copy) == expected
    (copy / "target").mkdir()
    (copy / "target" / "made").write_text("by dbt")
    before = (copy / "models" / "core" / "events.sql").stat().st_mtime_ns

    (own / "models" / "mine" / "a.sql").rename(own / "models" / "mine" / "b.sql")
    working_copy(ours, own, copy)
    assert files(copy) == {
        "dbt_project.yml": "name: ours",
        "models/core/events.sql": "select 1",
        "models/mine/b.sql": "select 2",
        "target/made": "by dbt",
    }
    assert (copy / "models" / "core" / "events.sql").stat().st_mtime_ns == before


def test_an_own_seed_takes_the_place_of_the_projects(ours: Path, tmp_path: Path) -> None:
    own, copy = tmp_path / "own", tmp_path / "copy"
    for folder, text in ((ours / "seeds" / "analytics", "ours"), (own / "seeds", "own")):
        folder.mkdir(parents=True)
        (folder / "conversions.csv").write_text(text)
    (own / "seeds" / "more.csv").write_text("more")
    working_copy(ours, own, copy)
    seeds = {path: text for path, text in files(copy).items() if path.startswith("seeds")}
    assert seeds == {"seeds/analytics/conversions.csv": "own", "seeds/more.csv": "more"}
    (own / "seeds" / "old").mkdir()
    (own / "seeds" / "old" / "conversions.csv").write_text("another")
    with pytest.raises(SettingsError, match=r"two seeds of the name conversions\.csv"):
        working_copy(ours, own, copy)
    (own / "seeds" / "old" / "conversions.csv").unlink()
    (ours / "seeds" / "analytics" / "conversions.yml").write_text("")
    (own / "seeds" / "analytics").mkdir()
    (own / "seeds" / "analytics" / "conversions.yml").write_text("")
    with pytest.raises(SettingsError, match="has the name of a file of the project"):
        working_copy(ours, own, copy)


def test_a_folder_that_cannot_be_is_named(ours: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    with pytest.raises(SettingsError, match="which is no folder"):
        working_copy(ours, own, tmp_path / "copy")
    own.mkdir()
    with pytest.raises(SettingsError, match="has none of the folders models, "):
        working_copy(ours, own, tmp_path / "copy")
    (own / "models" / "core").mkdir(parents=True)
    (own / "models" / "core" / "events.sql").write_text("select 3")
    with pytest.raises(SettingsError, match=r"events\.sql has the name of a file of the project"):
        working_copy(ours, own, tmp_path / "copy")


def test_the_settings_file_names_the_folder_from_where_it_lies(tmp_path: Path) -> None:
    settings = tmp_path / "deployment" / "my.yml"
    (settings.parent / "mine" / "models" / "staging" / "tickets").mkdir(parents=True)
    (settings.parent / "mine" / "models" / "staging" / "tickets" / "stg_tickets__events.sql").write_text("select 1")
    settings.write_text("own_models: mine\nflow_length: 3\n")
    names = {
        "SESSIONIZATION_SETTINGS": str(settings),
        "SESSIONIZATION_DUCKDB_PATH": str(tmp_path / "data" / "warehouse.duckdb"),
        "SESSIONIZATION_SOURCES": "rudderstack,tickets",
    }
    project = DbtProject.of(Environment.from_env(names))
    assert project.project_dir == tmp_path / "data" / "dbt_project"
    assert (project.project_dir / "models" / "staging" / "tickets" / "stg_tickets__events.sql").exists()
    assert project.settings["flow_length"] == 3
