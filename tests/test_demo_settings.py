"""After a demo, `sessionization ui` and `status` use its settings on its warehouse, and on no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from sessionization_dagster.cli.dagster_home import remember_demo_settings, with_demo_settings
from sessionization_dagster.cli.demo import SAMPLE_SETTINGS, main
from sessionization_dagster.errors import SettingsError

FIRST_DAY, WAREHOUSE = "SESSIONIZATION_START_DATE", "SESSIONIZATION_DUCKDB_PATH"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (*SAMPLE_SETTINGS, "SESSIONIZATION_TARGET", "SESSIONIZATION_SOURCES", WAREHOUSE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    warehouse = tmp_path / "data" / "sessionization.duckdb"
    remember_demo_settings(tmp_path, {FIRST_DAY: "2024-01-04", WAREHOUSE: str(warehouse)})
    return tmp_path


def test_settings_of_the_demo_apply_where_there_are_none(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert with_demo_settings(home)[FIRST_DAY] == "2024-01-04"
    assert WAREHOUSE not in with_demo_settings(home)
    monkeypatch.setenv(FIRST_DAY, "2023-02-01")
    assert with_demo_settings(home)[FIRST_DAY] == "2023-02-01"


def test_another_warehouse_has_settings_of_its_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WAREHOUSE, "mydata/sessionization.duckdb")
    assert FIRST_DAY not in with_demo_settings(home)
    monkeypatch.delenv(WAREHOUSE)
    monkeypatch.setenv("SESSIONIZATION_TARGET", "bigquery")
    monkeypatch.setenv("BIGQUERY_PROJECT", "demo-123")
    monkeypatch.setenv("BIGQUERY_DATASET", "analytics")
    monkeypatch.setenv("BIGQUERY_LOCATION", "EU")
    assert FIRST_DAY not in with_demo_settings(home)


def test_a_demo_of_an_earlier_version_is_known(home: Path) -> None:
    remember_demo_settings(home, {FIRST_DAY: "2024-01-04"})
    assert with_demo_settings(home)[FIRST_DAY] == "2024-01-04"


def test_the_demo_is_refused_on_bigquery() -> None:
    env = {
        "SESSIONIZATION_TARGET": "bigquery",
        "BIGQUERY_PROJECT": "demo-123",
        "BIGQUERY_DATASET": "a",
        "BIGQUERY_LOCATION": "EU",
    }
    with pytest.raises(SettingsError, match="SESSIONIZATION_TARGET is bigquery"):
        main(env)
