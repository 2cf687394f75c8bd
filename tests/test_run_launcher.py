"""Whether a run's process is alive or gone. Pins what is used of Dagster's launcher beyond its public names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import EngineEventData
from dagster._core.launcher import WorkerStatus

from sessionization_dagster.run_launcher import WatchedRunLauncher


@dg.job
def empty_job() -> None: ...


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    settings = "run_launcher:\n  module: sessionization_dagster.run_launcher\n  class: WatchedRunLauncher\n"
    (tmp_path / "dagster.yaml").write_text(f"{settings}run_monitoring:\n  enabled: true\n")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        yield instance


def health(instance: dg.DagsterInstance, pid: int | None, **server: object) -> WorkerStatus:
    tags = {".dagster/grpc_info": json.dumps(server)} if server else {}
    run = instance.create_run_for_job(empty_job, status=dg.DagsterRunStatus.STARTED, tags=tags)
    if pid is not None:
        instance.report_engine_event("Started process", run, EngineEventData.in_process(pid))
    launcher = instance.run_launcher
    assert isinstance(launcher, WatchedRunLauncher)
    assert launcher.supports_check_run_worker_health
    return launcher.check_run_worker_health(run).status


def ended_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_run_lives_as_long_as_its_process(instance: dg.DagsterInstance) -> None:
    assert health(instance, os.getpid()) == WorkerStatus.RUNNING
    assert health(instance, ended_pid()) == WorkerStatus.FAILED
    assert health(instance, None) == WorkerStatus.RUNNING


def test_a_process_that_is_younger_than_the_report_is_another(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psutil

    monkeypatch.setattr(psutil.Process, "create_time", lambda self: 4e9)
    assert health(instance, os.getpid()) == WorkerStatus.FAILED


def test_with_a_server_on_this_machine_that_is_gone_the_process_decides(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    server = {"host": "localhost", "socket": str(tmp_path / "gone")}
    assert health(instance, os.getpid(), **server) == WorkerStatus.RUNNING
    assert health(instance, ended_pid(), **server) == WorkerStatus.FAILED


def test_on_another_machine_a_number_that_lives_here_means_nothing(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the run of a server that is away is given up when it has been away for too long, or some time after it is back."""
    from sessionization_dagster import run_launcher

    # 127.0.0.2 is as foreign a name as 10.0.0.2, and nobody listens there.
    server = {"host": "127.0.0.2", "port": 1}
    assert health(instance, os.getpid(), **server) == WorkerStatus.RUNNING
    monkeypatch.setattr(run_launcher, "SERVER_AWAY_SECONDS", 0)
    assert health(instance, os.getpid(), **server) == WorkerStatus.FAILED
    monkeypatch.undo()

    tags = {".dagster/grpc_info": json.dumps(server)}
    run = instance.create_run_for_job(empty_job, status=dg.DagsterRunStatus.STARTED, tags=tags)
    launcher = instance.run_launcher
    assert isinstance(launcher, WatchedRunLauncher)
    assert launcher.check_run_worker_health(run).status == WorkerStatus.RUNNING
    monkeypatch.setattr(run_launcher, "_executes", lambda client, run: False)
    assert launcher.check_run_worker_health(run).status == WorkerStatus.RUNNING
    monkeypatch.setattr(run_launcher, "SERVER_BACK_SECONDS", 0)
    assert launcher.check_run_worker_health(run).status == WorkerStatus.FAILED
    monkeypatch.setattr(run_launcher, "_executes", lambda client, run: True)
    assert launcher.check_run_worker_health(run).status == WorkerStatus.RUNNING
