"""Dagster's real webserver, daemon and code server as `make ui` starts them, and ways to ask, to wait and to kill.

A wait ends as soon as a service has died or stalled, with the services' last output. What is merely slow may take its time.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import psutil
import yaml

from sessionization_dagster.cli.dagster_home import TEMPLATE

ROOT = Path(__file__).resolve().parents[2]
# What goes on may take this long: some times what it takes on a slow machine with other work beside it.
PATIENCE_SECONDS = 900
# The daemon's threads say every 30 s that they live; one that runs a long step may be late. The webserver answers within a second.
STALLED_SECONDS = 150
SECONDS_BETWEEN_LOOKS = 10
LOCATION = {"repositoryName": "__repository__", "repositoryLocationName": "sessionization_dagster.definitions"}


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@dataclass
class Services:
    """One Dagster instance folder and the processes that serve it.

    Attributes:
        home: the folder; made with the project's own dagster.yaml, asked more often than that says.
        variables: environment variables of the processes.
    """

    home: Path
    variables: Mapping[str, str]
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    _instance: dg.DagsterInstance | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Write the instance's settings: the project's, with shorter waits."""
        self.home.mkdir(parents=True, exist_ok=True)
        settings = yaml.safe_load(TEMPLATE.read_text().replace("$HOME_OF_INSTANCE", str(self.home)))
        settings["run_monitoring"] |= {"poll_interval_seconds": 3, "start_timeout_seconds": 60}
        (self.home / "dagster.yaml").write_text(yaml.safe_dump(settings))

    @property
    def environment(self) -> dict[str, str]:
        """What the processes get."""
        return {**os.environ, **self.variables, "DAGSTER_HOME": str(self.home)}

    def start(self) -> None:
        """Start everything, and wait until the webserver has the definitions."""
        self.port = free_port()
        output = (self.home / "services.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sessionization_dagster.cli", "ui", "--port", str(self.port)],
            env=self.environment, cwd=ROOT, start_new_session=True, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.wait_for("the webserver", lambda: (self.try_ask("{ assetNodes { id } }") or {}).get("assetNodes"))

    def stop(self) -> None:
        """Stop in order; kill what does not."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
            try:
                self.process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                self.kill()
        if self._instance is not None:
            self._instance.dispose()

    def kill(self) -> None:
        """SIGKILL every process at once, runs included, as a power cut would."""
        assert self.process is not None
        everyone = [*psutil.Process(self.process.pid).children(recursive=True), psutil.Process(self.process.pid)]
        for process in everyone:
            process.kill()
        self.process.wait()

    def daemon(self) -> psutil.Process:
        """The daemon's process."""
        assert self.process is not None
        (found,) = [
            child for child in psutil.Process(self.process.pid).children(recursive=True)
            if "dagster._daemon" in child.cmdline() and "-m" in child.cmdline()
        ]  # fmt: skip
        return found

    @property
    def instance(self) -> dg.DagsterInstance:
        """The instance, read from this process."""
        if self._instance is None:
            self._instance = dg.DagsterInstance.from_config(str(self.home))
        return self._instance

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """GraphQL's answer."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = json.load(response)
        assert "errors" not in answer, answer
        data: dict[str, Any] = answer["data"]
        return data

    def try_ask(self, query: str) -> dict[str, Any] | None:
        """The same, or nothing while the server is not there."""
        try:
            return self.ask(query)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return None

    def wait_for(self, what: str, condition: Callable[[], Any]) -> Any:
        """Ask until the condition gives something.

        Raises:
            AssertionError: a service died or stalled, or the test's patience is over; says which runs there are and shows the services'
                last output.
        """
        started = looked = time.monotonic()
        trouble = None
        while trouble is None:
            if found := condition():
                return found
            now = time.monotonic()
            if any(process.poll() is not None for process in self.started_processes()):
                trouble = "a service died"
            elif now - started > PATIENCE_SECONDS:
                trouble = f"not within {PATIENCE_SECONDS} s"
            elif now - looked > SECONDS_BETWEEN_LOOKS:
                looked, trouble = now, self._stalled(now - started)
            time.sleep(0.3)
        log = (self.home / "services.log").read_text(errors="replace")[-6000:]
        raise AssertionError(f"{what}: {trouble}. Runs: {self.statuses()}\n{log}")

    def started_processes(self) -> list[subprocess.Popen[bytes]]:
        """The processes that must go on while a test waits; `make ui` ends when one of its own does."""
        return [] if self.process is None else [self.process]

    def _stalled(self, waited: float) -> str | None:
        """Which of the services does not answer or gives no sign of life; None where none was expected yet."""
        if not self.started_processes() or waited < STALLED_SECONDS:
            return None
        if self.try_ask("{ version }") is None:
            return "the webserver does not answer"
        beats = [beat.timestamp for beat in self.instance.get_daemon_heartbeats().values()]
        if not beats or time.time() - max(beats) > STALLED_SECONDS:
            return f"the daemon gave no sign of life for {STALLED_SECONDS} s"
        return None

    def runs(self, job: str | None = None) -> list[dg.DagsterRun]:
        """All runs, or those of a job, the first one first."""
        records = self.instance.get_run_records(dg.RunsFilter(job_name=job), ascending=True)
        return [record.dagster_run for record in records]

    def statuses(self) -> list[tuple[str, str, str]]:
        """(job, days, status) of all runs, the first one first."""
        return [(run.job_name, days_of(run.tags), run.status.value) for run in self.runs()]

    def pid_of(self, run_id: str) -> int | None:
        """The process of a run, once it has said so."""
        for entry in self.instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
            data = entry.dagster_event.engine_event_data if entry.dagster_event else None
            if data is not None and "pid" in data.metadata:
                return int(str(data.metadata["pid"].value))
        return None

    def has_started_step(self, run_id: str, step: str) -> bool:
        """Whether a run is at a step or beyond."""
        starts = self.instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_START)
        return any(entry.dagster_event is not None and entry.dagster_event.step_key == step for entry in starts)

    def backfill(self, first: str, last: str) -> str:
        """Backfill all assets for a range of days, as the UI does; return the backfill's id."""
        nodes = self.ask("{ assetNodes { assetKey { path } partitionKeys } }")["assetNodes"]
        keys = [{"path": node["assetKey"]["path"]} for node in nodes]
        days = [day for day in nodes[0]["partitionKeys"] if first <= day <= last]
        result = self.ask(
            """mutation($p: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $p) {
                __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }""",
            p={"assetSelection": keys, "partitionNames": days},
        )["launchPartitionBackfill"]
        assert result["__typename"] == "LaunchBackfillSuccess", result
        return str(result["backfillId"])

    def is_done(self, backfill_id: str) -> bool:
        """Whether a backfill has ended, all runs with it, and every asset has its days.

        Not by its status alone: Dagster may count an asset as failed that a retried run materialises while the daemon is looking.
        """
        query = """query($id: String!) {
            partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status partitionNames } }
            assetNodes { latestMaterializationByPartition { partition } } }"""
        answer = self.ask(query, id=backfill_id)
        backfill = answer["partitionBackfillOrError"]
        assert backfill["status"] not in ("FAILED", "CANCELED"), backfill
        days = set(backfill["partitionNames"])
        return (
            backfill["status"] in ("COMPLETED_SUCCESS", "COMPLETED_FAILED")
            and all(run.is_finished for run in self.runs())
            and all(
                days <= {found["partition"] for found in node["latestMaterializationByPartition"] if found}
                for node in answer["assetNodes"]
            )
        )

    def turn_on(self, kind: str, name: str) -> None:
        """Start a schedule or a sensor as the UI's switch does; kind is "Schedule" or "Sensor"."""
        result = self.ask(
            f"""mutation($s: {kind}Selector!) {{ start{kind}({kind.lower()}Selector: $s) {{
                __typename ... on PythonError {{ message }} }} }}""",
            s={**LOCATION, f"{kind.lower()}Name": name},
        )[f"start{kind}"]
        assert result["__typename"] in ("Sensor", "ScheduleStateResult"), result


def days_of(tags: Mapping[str, str]) -> str:
    """A run's days: one, or "first...last"."""
    first, last = (tags.get(f"dagster/asset_partition_range_{end}") for end in ("start", "end"))
    return tags.get("dagster/partition") or (f"{first}...{last}" if first else "")
