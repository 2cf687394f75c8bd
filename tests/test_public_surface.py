"""What others rely on is what docs/public.yml lists; tables and columns are in docs/tables.yml. CHANGELOG.md has what changes in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from sessionization_dagster.cli.__main__ import main
from sessionization_dagster.definitions import build_definitions
from sessionization_dagster.settings.environment import Environment

ROOT = Path(__file__).resolve().parents[1]


def test_it_is_as_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    environment = Environment.from_env(
        {
            "SESSIONIZATION_DUCKDB_PATH": str(tmp_path / "sessionization.duckdb"),
            "SESSIONIZATION_SOURCES": "rudderstack,segment,mixpanel,measure_js",
            "SESSIONIZATION_PUBLISH": str(tmp_path / "published"),
        }
    )
    repository = build_definitions(environment).get_repository_def()
    with pytest.raises(SystemExit):
        main(["--help"])
    code = "\n".join(path.read_text() for path in (ROOT / "sessionization_dagster").rglob("*.py"))
    found = {
        "assets": {key.to_user_string() for key in repository.asset_graph.get_all_asset_keys()},
        "jobs": {name for name in repository.job_names if not name.startswith("__")},
        "schedules": {schedule.name for schedule in repository.schedule_defs},
        "sensors": {sensor.name for sensor in repository.sensor_defs},
        "commands": set(re.findall(r"^    (\w+) ", capsys.readouterr().out, flags=re.M)),
        "variables": set(re.findall(r'"((?:SESSIONIZATION|BIGQUERY)_[A-Z_]*[A-Z])"', code)),
        "vars": set(yaml.safe_load((ROOT / "dbt_project" / "dbt_project.yml").read_text())["vars"]),
    }
    listed = yaml.safe_load((ROOT / "docs" / "public.yml").read_text())
    for kind, names in found.items():
        assert sorted(names) == listed[kind], kind
