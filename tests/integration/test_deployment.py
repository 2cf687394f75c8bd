"""The deployment that docs/operations.md describes: its files hold together, and its three services work on a real Postgres."""

from __future__ import annotations

import configparser
import getpass
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from sessionization_dagster.cli.dagster_home import TEMPLATE
from sessionization_dagster.settings.environment import Environment
from tests.integration.real_job import Project
from tests.integration.services import PATIENCE_SECONDS, ROOT, Services, free_port
from tests.integration.test_job import csv_project, first_rows

DEPLOY = ROOT / "docs" / "deploy"
UNITS = {path.stem.removeprefix("sessionization-"): path for path in sorted((DEPLOY / "systemd").glob("*.service"))}
ENVIRONMENT_FILE = dict(
    line.split("=", 1)
    for line in (DEPLOY / "systemd" / "sessionization.env").read_text().splitlines()
    if line and not line.startswith("#")
)
POSTGRES = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


def command_of(unit: str) -> list[str]:
    """What a unit starts, with this environment's programs."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.read(UNITS[unit])
    program, *arguments = shlex.split(parser["Service"]["ExecStart"])
    return [str(Path(sys.executable).with_name(Path(program).name)), *arguments]


def test_a_deployments_instance_differs_from_the_embedded_one_in_its_storage_alone() -> None:
    embedded, deployed = (yaml.safe_load(path.read_text()) for path in (TEMPLATE, DEPLOY / "dagster.yaml"))
    del embedded["event_log_storage"]
    assert list(deployed.pop("storage")) == ["postgres"]
    assert deployed == embedded


def test_compose_and_systemd_start_the_same_commands() -> None:
    services = yaml.safe_load((DEPLOY / "docker-compose.yml").read_text())["services"]
    assert set(services) == {"postgres", *UNITS}
    for name in UNITS:
        composed = shlex.split(services[name]["command"])
        started = command_of(name)
        assert Path(started[0]).name == composed[0]
        differing = [(a, b) for a, b in zip(started[1:], composed[1:], strict=True) if a != b]
        # A container listens to the others, and has the workspace file where its image puts it.
        allowed = {
            ("127.0.0.1", "0.0.0.0"),
            ("/opt/sessionization/docs/deploy/workspace.yaml", "/opt/dagster/workspace.yaml"),
        }
        assert set(differing) <= allowed, name


def test_every_setting_reaches_the_containers(monkeypatch: pytest.MonkeyPatch) -> None:
    composed = yaml.safe_load((DEPLOY / "docker-compose.yml").read_text())["x-dagster"]
    listed = yaml.safe_load((ROOT / "docs" / "public.yml").read_text())["variables"]
    assert set(listed) <= set(composed["environment"])
    # In the containers' folder the defaults lie on the volume.
    assert composed["volumes"][0] == "../../data:/data"
    monkeypatch.chdir(composed["working_dir"])
    environment = Environment.from_env(dict.fromkeys(listed, ""))
    assert environment.landing == Path("/data/landing")
    assert environment.duckdb_path == Path("/data/sessionization.duckdb")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for path in UNITS.values():
        text = path.read_text().replace("/opt/sessionization/.venv/bin", str(Path(sys.executable).parent))
        (tmp_path / path.name).write_text(text.replace("User=sessionization", f"User={getpass.getuser()}"))
    checked = subprocess.run(
        ["systemd-analyze", "verify", *map(str, sorted(tmp_path.glob("*.service")))], capture_output=True, text=True
    )
    said = [line for line in checked.stderr.splitlines() if "sessionization" in line]
    assert not said, checked.stderr


@pytest.fixture
def postgres() -> Iterator[int]:
    """A Postgres server of its own; its port."""
    assert POSTGRES is not None
    # Another user has to reach it, and pytest closes its own folders to others.
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    # Postgres refuses to be run by root.
    as_user: list[str] = []
    if os.geteuid() == 0:
        as_user = ["runuser", "-u", "postgres", "--"]
        shutil.chown(folder, "postgres")
    port = free_port()
    data = folder / "data"
    (password := folder / "password").write_text("secret")
    password.chmod(0o644)
    subprocess.run(
        [*as_user, f"{POSTGRES}/initdb", "--pgdata", str(data), "--username", "dagster", "--auth", "scram-sha-256",
         "--pwfile", str(password)],
        check=True, capture_output=True,
    )  # fmt: skip
    server = subprocess.Popen(
        [*as_user, f"{POSTGRES}/postgres", "-D", str(data), "-p", str(port), "-k", str(folder), "-h", "127.0.0.1"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    ready = [f"{POSTGRES}/pg_isready", "--host", "127.0.0.1", "--port", str(port), "--quiet"]
    deadline = time.monotonic() + PATIENCE_SECONDS
    while subprocess.run(ready, timeout=PATIENCE_SECONDS).returncode:
        assert server.poll() is None, "Postgres ended"
        assert time.monotonic() < deadline, "Postgres did not start"
        time.sleep(0.2)
    environment = {**os.environ, "PGPASSWORD": "secret"}
    subprocess.run(
        [f"{POSTGRES}/createdb", "--host", "127.0.0.1", "--port", str(port), "--username", "dagster", "dagster"],
        check=True, env=environment,
    )  # fmt: skip
    try:
        yield port
    finally:
        subprocess.run(
            [*as_user, f"{POSTGRES}/pg_ctl", "--pgdata", str(data), "--mode", "immediate", "stop"], check=True
        )
        server.wait(timeout=60)
        shutil.rmtree(folder)


class Deployment(Services):
    """The services as the units start them, on ports of their own."""

    processes: dict[str, subprocess.Popen[bytes]]
    code_port: int

    def prepare(self, postgres_port: int) -> None:
        """Write the instance's and the workspace's settings as deployed, with the test's ports and shorter waits."""
        settings = yaml.safe_load((DEPLOY / "dagster.yaml").read_text())
        settings["storage"]["postgres"]["postgres_db"]["port"] = postgres_port
        settings["run_monitoring"]["poll_interval_seconds"] = 3
        (self.home / "dagster.yaml").write_text(yaml.safe_dump(settings))
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            two.bind(("127.0.0.1", 0))
            self.code_port, self.port = one.getsockname()[1], two.getsockname()[1]
        workspace = (DEPLOY / "workspace.yaml").read_text().replace("4000", str(self.code_port))
        (self.home / "workspace.yaml").write_text(workspace)
        self.processes = {}

    def start_unit(self, unit: str) -> None:
        """Start one service."""
        ports = {"4000": str(self.code_port), "3000": str(self.port)}
        command = [
            str(self.home / "workspace.yaml") if part.endswith("workspace.yaml") else ports.get(part, part)
            for part in command_of(unit)
        ]
        output = (self.home / "services.log").open("ab")
        self.processes[unit] = subprocess.Popen(
            command, env=self.environment, cwd=ROOT, start_new_session=True, stdout=output, stderr=subprocess.STDOUT
        )

    def started_processes(self) -> list[subprocess.Popen[bytes]]:
        """Those of the units."""
        return [*self.processes.values()]

    def kill_unit(self, unit: str) -> None:
        """SIGKILL a service with all that it started, as systemd does with what does not stop."""
        process = self.processes.pop(unit)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def run_of(services: Deployment) -> Any:
    runs = services.runs()
    return runs[0] if runs and services.has_started_step(runs[0].run_id, "session_models") else None


@pytest.mark.skipif(POSTGRES is None, reason="Postgres is not installed")
def test_the_services_run_a_backfill_on_postgres_though_the_code_server_is_killed(
    tmp_path: Path, postgres: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = {
        f"SESSIONIZATION_DATABASE_{name}": value
        for name, value in {"HOST": "127.0.0.1", "USER": "dagster", "PASSWORD": "secret", "NAME": "dagster"}.items()
    }
    for name, value in database.items():
        monkeypatch.setenv(name, value)  # the instance is read from this process too
    with dg.DagsterInstance.ephemeral() as instance:
        project: Project = csv_project(tmp_path / "project", instance)
        project.land("tracks/first", first_rows())
        services = Deployment(tmp_path / "dagster", {**ENVIRONMENT_FILE, **database, **project.variables})
        services.prepare(postgres)
        try:
            services.start_unit("code")
            services.start_unit("webserver")
            services.start_unit("daemon")
            services.wait_for(
                "the services", lambda: (services.try_ask("{ assetNodes { id } }") or {}).get("assetNodes")
            )
            backfill = services.backfill("2024-03-09", "2024-03-12")
            services.wait_for("the run", lambda: run_of(services))
            services.kill_unit("code")
            services.start_unit("code")
            services.wait_for("the backfill", lambda: services.is_done(backfill))
            assert [run.status.value for run in services.runs()] == ["FAILURE", "SUCCESS"]
            assert project.query("select count(*) as n from core.events") == [{"n": len(first_rows())}]
        finally:
            for unit in [*services.processes]:
                services.kill_unit(unit)
            services.stop()
