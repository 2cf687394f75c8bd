"""The command `sessionization`: how its process ends, what it says of days that it did not run, and of a port in use."""

from __future__ import annotations

import socket
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from sessionization_dagster.cli import ui
from sessionization_dagster.cli.__main__ import main
from sessionization_dagster.cli.failed_checks import shown
from sessionization_dagster.cli.run import days_not_run
from sessionization_dagster.errors import SettingsError
from sessionization_dagster.landing import land
from sessionization_dagster.metadata.markdown import markdown_table
from sessionization_dagster.warehouses.duckdb import DuckDBWarehouse
from sessionization_dagster.window import Window
from tests.landing.declared import declared_tables

PROGRAM = """
import atexit
import sys


class Freed:
    def __del__(self):
        print("freed by Python")


kept = Freed()
atexit.register(print, "what a library does last")
from sessionization_dagster.cli.__main__ import run_and_exit

sys.argv = ["sessionization", "report"]
run_and_exit()
"""


def test_the_process_ends_with_the_commands_code_after_its_exit_handlers_and_frees_no_objects(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True, text=True, timeout=120, cwd=tmp_path, env={"SESSIONIZATION_REPORT": str(tmp_path / "nothing")},
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == "what a library does last\n"
    assert done.stderr.startswith("There is no report yet")


def test_a_closed_output_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "latest.html").touch()
    done = subprocess.run(
        f"exec '{sys.executable}' -m sessionization_dagster.cli report >&-", shell=True,
        capture_output=True, text=True, timeout=120, env={"SESSIONIZATION_REPORT": str(tmp_path)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_days_whose_rows_came_or_went_beside_the_days_of_a_run_are_known(tmp_path: Path) -> None:
    folder = tmp_path / "landing/rudderstack/tracks"
    folder.mkdir(parents=True)
    before, started, landed = (datetime(2024, 3, 20, hour, tzinfo=UTC) for hour in (8, 9, 10))
    warehouse = DuckDBWarehouse(tmp_path / "sessionization.duckdb")
    with warehouse.connect() as connection:
        connection.execute("create schema raw")
        for name, days, landed_at in (("old", (1, 2), before), ("new", (10, 3, 11, 12, 13), landed)):
            rows = [f"{name}{day},2024-03-{day:02},seen" for day in days]
            (folder / f"{name}.csv").write_text("\n".join(["id,timestamp,event", *rows, ""]))
            land(connection.native, tmp_path / "landing", declared_tables("rudderstack"), landed_at)
        window = Window.through(date(2024, 3, 11), date(2024, 3, 12))
        assert days_not_run(connection, started, window) == [date(2024, 3, day) for day in (3, 10, 13)]


def test_a_port_that_is_in_use_is_said_before_anything_is_loaded() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"Port {port} cannot be used .*make ui PORT=3001"):
            ui.serve(str(port))
    with pytest.raises(SettingsError, match="Port 99999 cannot be used"):
        ui.serve("99999")


def test_a_day_that_is_none_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["run", "--from", "2024-02-30"])
    assert "argument --from: 2024-02-30 is no day. Write it like 2024-01-31." in capsys.readouterr().err


def test_a_check_that_did_not_pass_is_shown_with_its_first_rows() -> None:
    key = dg.AssetKey(["core", "events"])

    @dg.asset_check(asset=key, name="files", description="No file is left out.\nNone at all.")
    def files() -> dg.AssetCheckResult:
        raise NotImplementedError

    graph = dg.Definitions(asset_checks=[files]).resolve_asset_graph()
    rows = [[name, 1] for name in ("a|b.csv", "<c>\\d.csv", "\x1b[31me.csv", "f.csv")]
    check: dict[str, Any] = {
        "asset_key": key,
        "check_name": "files",
        "passed": False,
        "severity": dg.AssetCheckSeverity.WARN,
    }
    found = dg.AssetCheckEvaluation(
        **check,
        metadata={
            "rows": dg.IntMetadataValue(4), "none": dg.IntMetadataValue(0), "dagster_dbt/failed_row_count": dg.IntMetadataValue(4),
            "first_rows": dg.MetadataValue.md(markdown_table(["file", "rows"], rows)), "unique_id": dg.MetadataValue.text("test.files"),
        },
    )  # fmt: skip
    assert shown([found], graph).splitlines() == [
        "  files of core/events: rows 4",
        "    No file is left out.",
        "    None at all.",
        "    | file | rows |",
        "    | a|b.csv | 1 |",
        "    | <c>\\d.csv | 1 |",
        "    | \\x1b[31me.csv | 1 |",
    ]
    said = dg.AssetCheckEvaluation(**check, metadata={}, description="Four files are.")
    other = dg.AssetCheckEvaluation(**{**check, "check_name": "other"}, metadata={})
    assert shown([said, other], graph).splitlines() == [
        "  files of core/events", "    Four files are.", "  other of core/events",
    ]  # fmt: skip
