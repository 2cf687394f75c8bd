"""The wheel in a fresh environment far from any checkout: its command, and a deployment of one's own (examples/own_deployment)."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest
import requests

from tests.integration.services import free_port

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "own_deployment"
SECONDS = 900


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed command."""
    folder = tmp_path_factory.mktemp("package")
    uv = Path(sys.executable).with_name("uv")
    python = folder / "venv" / "bin" / "python"

    def run(*arguments: str) -> None:
        done = subprocess.run([str(uv), *arguments], capture_output=True, text=True, timeout=SECONDS)
        assert done.returncode == 0, done.stderr

    run("build", "--quiet", "--wheel", "--out-dir", str(folder), str(ROOT))
    run("venv", "--quiet", "--python", sys.executable, str(folder / "venv"))
    run("pip", "install", "--quiet", "--python", str(python), "--require-hashes", "-r", str(ROOT / "requirements.lock"))
    run("pip", "install", "--quiet", "--python", str(python), "--no-deps", *map(str, folder.glob("*.whl")))
    return python.with_name("sessionization")


@pytest.fixture
def deployment(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A copy of the example, and the environment that its README sets."""
    folder = tmp_path / "deployment"
    shutil.copytree(EXAMPLE, folder)
    text = (EXAMPLE / "README.md").read_text()
    named = dict(re.findall(r"(SESSIONIZATION_\w+)=(\S+)", text))
    assert set(named) == {
        f"SESSIONIZATION_{name}" for name in ("SETTINGS", "LANDING", "SOURCES", "START_DATE", "END_DATE")
    }
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SESSIONIZATION", "DAGSTER", "PYTHON"))
    }
    return folder, {**inherited, **named}


def call(command: Path, folder: Path, env: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(command), *arguments], cwd=folder, env=dict(env), capture_output=True, text=True, timeout=SECONDS
    )


def test_a_deployment_of_ones_own_needs_no_checkout(command: Path, deployment: tuple[Path, dict[str, str]]) -> None:
    folder, env = deployment
    done = call(command, folder, env, "run", "--from", "2024-01-05", "--to", "2024-01-06")
    assert done.returncode == 0, done.stderr
    assert "6 events, 0 rejected, 3 visitors, 4 sessions" in done.stdout
    with duckdb.connect(str(folder / "data" / "sessionization.duckdb"), read_only=True) as warehouse:
        rows = warehouse.sql(
            "select ticket_id, session_id, events_before from support.tickets_in_sessions order by 1"
        ).fetchall()
        assert rows == [("support:T-1", "1 - user_0428", 2), ("support:T-2", "1 - user_0007", 0)]
        counted = warehouse.sql(
            "select session_id, cnt_tickets from rudderstack.dbt_session_track_facts order by 1"
        ).fetchall()
        assert counted == [("1 - phone", 0), ("1 - user_0007", 1), ("1 - user_0428", 1), ("2 - user_0428", 0)]
    # Nothing is written outside of the folder, nor beside the example's files but data.
    assert {path.name for path in folder.iterdir()} == {path.name for path in EXAMPLE.iterdir()} | {"data"}

    shown = call(command, folder, env, "status")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert re.search(r"Tables   \d+ with all days", shown.stdout)
    page = call(command, folder, env, "report")
    assert Path(page.stdout.strip()).exists()

    # A changed setting, asked about.
    (folder / "settings.yml").write_text("session_timeout_seconds: 60\nown_models: warehouse\n")
    refused = call(command, folder, {**env, "SESSIONIZATION_REBUILD": "ask"}, "run", "--from", "2024-01-06")
    assert refused.returncode == 1
    assert "core.session_events: its SQL has changed" in refused.stderr
    remade = call(command, folder, env, "run", "--from", "2024-01-06")
    assert remade.returncode == 0, remade.stdout + remade.stderr
    assert remade.stdout.count("This run rebuilds tables") == 1
    (folder / "settings.yml").write_text("session_timeout_seconds: soon\n")
    wrong = call(command, folder, env, "run", "--from", "2024-01-06")
    assert wrong.returncode == 2
    assert f"{folder / 'settings.yml'}, line 1: session_timeout_seconds is 'soon'" in wrong.stderr


def test_the_ui_has_the_models_of_both(command: Path, deployment: tuple[Path, dict[str, str]]) -> None:
    folder, env = deployment
    port = free_port()
    with (folder / "ui.log").open("w") as log:
        ui = subprocess.Popen([str(command), "ui", "--port", str(port)], cwd=folder, env=env, stdout=log, stderr=log)
        try:
            deadline, keys = time.monotonic() + 300, set[str]()
            while "support/tickets_in_sessions" not in keys:
                assert ui.poll() is None, (folder / "ui.log").read_text()
                assert time.monotonic() < deadline, (folder / "ui.log").read_text()
                time.sleep(1)
                keys = asset_keys(port)
            assert {"core/sessions", "raw/support_tickets"} <= keys
        finally:
            ui.send_signal(signal.SIGTERM)
            ui.wait(timeout=120)


def asset_keys(port: int) -> set[str]:
    """The assets that the webserver knows; none while it is starting."""
    try:
        answer = requests.post(
            f"http://127.0.0.1:{port}/graphql", json={"query": "{assetNodes {assetKey {path}}}"}, timeout=60
        )
        answer.raise_for_status()
        return {"/".join(node["assetKey"]["path"]) for node in answer.json()["data"]["assetNodes"]}
    except (requests.RequestException, KeyError, TypeError):
        return set()


def test_the_demo_runs(command: Path, tmp_path: Path) -> None:
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SESSIONIZATION", "DAGSTER", "PYTHON"))
    }
    done = call(command, tmp_path, env, "demo")
    assert done.returncode == 0, done.stderr
    assert "31,106 events, 14 rejected, 866 visitors, 3,607 sessions" in done.stdout
