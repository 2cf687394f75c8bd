"""dbt in process: it leaves the warehouse file free, and what fails is named."""

import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import NoReturn

import pytest

from sessionization_dagster.dbt.project import DbtProject
from sessionization_dagster.errors import DbtError
from sessionization_dagster.settings.environment import Environment
from tests.integration.thin_driver import ThinDriver, parsed_project
from tests.oracle.model import Settings


@pytest.fixture
def driver(tmp_path: Path) -> ThinDriver:
    return ThinDriver(tmp_path, Settings(), parsed_project())


def test_another_process_can_open_the_file_after_a_command(driver: ThinDriver) -> None:
    driver.run_events(date(2024, 1, 4), date(2024, 1, 4))
    code = f"import duckdb; print(duckdb.connect({str(driver.warehouse.path)!r}).sql('select count(*) from core.events').fetchall())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[(0,)]", done.stderr


def test_one_parse_serves_the_warehouses_of_all_folders_and_is_left_as_it_is(tmp_path: Path) -> None:
    """Webserver, daemon and runs read these files at the same time."""
    written = []
    for folder in ("one", "another"):
        path = tmp_path / folder / "sessionization.duckdb"
        project = DbtProject.of(Environment.from_env({"SESSIONIZATION_DUCKDB_PATH": str(path)}))
        assert project.manifest.tables
        project.runner.invoke(["ls", "--resource-type", "seed"], {})
        files = ("manifest.json", "partial_parse.msgpack")
        written.append({project.target_path / name: (project.target_path / name).stat().st_mtime_ns for name in files})
    assert written[0] == written[1]


def test_a_command_does_not_look_through_all_calls_for_each_flag_of_the_adapter(
    driver: ThinDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stack() -> NoReturn:
        raise AssertionError("The stack was asked for.")

    monkeypatch.setattr("dbt_common.behavior_flags.inspect.stack", stack)
    driver.run_events(date(2024, 1, 4), date(2024, 1, 4))


def test_a_failing_model_is_named_with_what_the_warehouse_said(driver: ThinDriver) -> None:
    with driver.warehouse.connect() as connection:
        connection.execute("drop table raw.landing_rejects")
    with pytest.raises(DbtError, match=r"(?s)1 node\(s\):\nrejected_events: .*landing_rejects does not exist"):
        driver.run_events(date(2024, 1, 4), date(2024, 1, 4))


def test_a_table_of_other_columns_is_refused_with_the_remedy(driver: ThinDriver) -> None:
    driver.run_events(date(2024, 1, 4), date(2024, 1, 4))
    with driver.warehouse.connect() as connection:
        connection.execute("alter table core.identity_edges drop column event_count")
    with pytest.raises(DbtError, match="Drop the table and backfill"):
        driver.run_events(date(2024, 1, 4), date(2024, 1, 4))


def test_unit_tests_of_the_models_pass(driver: ThinDriver) -> None:
    """The rules as dbt unit tests, on inputs of their own; they need the tables' columns and nothing of their rows."""
    driver.run(date(2024, 1, 4), date(2024, 1, 4))
    result = driver.unit_tests()
    assert len(result) >= 7
    assert {node.status.value for node in result} == {"pass"}
