"""Dagster's own run launcher, which can also say whether a run's process still exists. Named in dagster.yaml; nothing imports it.

If a run's process is killed together with the server that started it, nobody records the failure. The run stays "started" for ever and
holds the pool of all writers. Dagster's monitoring daemon asks a run's launcher for the run's health, if the launcher supports this.

The types of the answer have no public import; a test pins them.
"""

from __future__ import annotations

import time
from functools import cached_property
from typing import Any

import grpc
import psutil
from dagster import DagsterEventType, DagsterRun, DefaultRunLauncher, deserialize_value
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster._grpc.client import DagsterGrpcClient
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult

ANSWER_TIMEOUT_SECONDS = 10
# A supervisor restarts a code server within a minute or two.
SERVER_AWAY_SECONDS = 600
# The daemon notices by itself that a server is back, some seconds later.
SERVER_BACK_SECONDS = 20
LOCAL_HOSTS = ("localhost", "127.0.0.1")


class WatchedRunLauncher(DefaultRunLauncher):
    """Launches runs like DefaultRunLauncher, and knows when a run's process has ended."""

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> WatchedRunLauncher:
        """Dagster calls this to make a launcher from dagster.yaml."""
        return cls(inst_data=inst_data, **config_value)

    @property
    def supports_check_run_worker_health(self) -> bool:
        """True: see check_run_worker_health."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """A run is alive if the server that launched it says that it executes it, or if its process runs on this machine.

        If the process is on another machine or in another container, its number means nothing here, and only the server counts. A run
        that was started by hand has no server. A run that has not yet reported its process counts as alive.

        When a server stops, its runs stop too, but they are marked as failed only when the server is back: Dagster retries a failed run
        once, at the moment when it fails, and needs the server for that.
        """
        client = self._get_grpc_client_for_termination(run.run_id)  # type: ignore[no-untyped-call]
        executes = None if client is None else _executes(client, run)
        is_local = client is None or bool(client.socket) or client.host in LOCAL_HOSTS
        processes = self._processes(run) if is_local and not executes else []
        if executes or (is_local and (not processes or any(_lives(*process) for process in processes))):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        # A server with a socket was started together with the daemon; a new server would have a new socket.
        if client is not None and client.port and self._waits_for_server(run.run_id, is_back=executes is not None):
            return CheckRunHealthResult(
                WorkerStatus.RUNNING, "its process is gone; waiting for the code server to be back"
            )
        return CheckRunHealthResult(WorkerStatus.FAILED, "its process is gone")

    def _waits_for_server(self, run_id: str, is_back: bool) -> bool:
        """Whether to wait for the run's server: it was found missing, and is neither back for long enough nor missing for too long."""
        now = time.monotonic()
        if not is_back:
            self._returned.pop(run_id, None)
            return now - self._missed.setdefault(run_id, now) < SERVER_AWAY_SECONDS
        return run_id in self._missed and now - self._returned.setdefault(run_id, now) < SERVER_BACK_SECONDS

    @cached_property
    def _missed(self) -> dict[str, float]:
        """Run -> when its server was first found missing."""
        return {}

    @cached_property
    def _returned(self) -> dict[str, float]:
        """Run -> when its server first answered again."""
        return {}

    def _processes(self, run: DagsterRun) -> list[tuple[int, float]]:
        """The number of each process that reported that it executes the run, and the time of the report in seconds since 1970."""
        events = [
            (entry.dagster_event, entry.timestamp)
            for entry in self._instance.all_logs(run.run_id, of_type=DagsterEventType.ENGINE_EVENT)
        ]
        return [
            (int(str(event.engine_event_data.metadata["pid"].value)), at)
            for event, at in events
            if event is not None and "pid" in event.engine_event_data.metadata
        ]


def _executes(client: DagsterGrpcClient, run: DagsterRun) -> bool | None:
    """Whether a code server executes the run; None if no server answers."""
    request = CanCancelExecutionRequest(run_id=run.run_id)
    try:
        text = client.can_cancel_execution(request, timeout=ANSWER_TIMEOUT_SECONDS)
    except Exception as error:
        # A server that is too busy to answer may be executing the run; a missing server is not.
        cause = error.__cause__
        is_busy = isinstance(cause, grpc.RpcError) and cause.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        return True if is_busy else None
    return bool(deserialize_value(text, CanCancelExecutionResult).can_cancel)


def _lives(pid: int, reported_at: float) -> bool:
    """Whether the process that reported still exists. A process with the same number that is younger than the report is another one."""
    try:
        process = psutil.Process(pid)
        return bool(process.create_time() <= reported_at and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
