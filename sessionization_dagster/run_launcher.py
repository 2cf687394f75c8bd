"""Dagster's own run launcher, able to tell whether a run's process still lives. Named in dagster.yaml; nothing imports it.

A run whose process was killed together with the server that started it stays "started" for good: nobody is left to say otherwise, and
it holds the pool in which all writers are. Dagster's monitoring daemon asks a run's launcher for its health, where that can tell.

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
# A code server that its supervisor starts again is back within a minute or two.
SERVER_AWAY_SECONDS = 600
# The daemon notices a returned server by itself, some seconds later.
SERVER_BACK_SECONDS = 20
LOCAL_HOSTS = ("localhost", "127.0.0.1")


class WatchedRunLauncher(DefaultRunLauncher):
    """Launches runs as DefaultRunLauncher does, and knows when one's process is gone."""

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> WatchedRunLauncher:
        """Dagster makes launchers from dagster.yaml with this."""
        return cls(inst_data=inst_data, **config_value)

    @property
    def supports_check_run_worker_health(self) -> bool:
        """True: see check_run_worker_health."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Alive where the server that launched it says that it executes it, or where its process runs on this machine.

        On another machine or in another container process numbers mean nothing here: only the server counts then. A run that was started
        by hand has no server; one that has not said yet which process it is counts as alive.

        A server that is away takes its runs along, but they are given up only when it is back: Dagster starts a failed run again once,
        at the moment when it has failed, and needs the server for that.
        """
        client = self._get_grpc_client_for_termination(run.run_id)  # type: ignore[no-untyped-call]
        executes = None if client is None else _executes(client, run)
        is_local = client is None or bool(client.socket) or client.host in LOCAL_HOSTS
        processes = self._processes(run) if is_local and not executes else []
        if executes or (is_local and (not processes or any(_lives(*process) for process in processes))):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        # A socket is that of a server that was started with the daemon: a new server has a new one.
        if client is not None and client.port and self._waits_for_server(run.run_id, is_back=executes is not None):
            return CheckRunHealthResult(
                WorkerStatus.RUNNING, "its process is gone; waiting for the code server to be back"
            )
        return CheckRunHealthResult(WorkerStatus.FAILED, "its process is gone")

    def _waits_for_server(self, run_id: str, is_back: bool) -> bool:
        """Whether the run's server was found to be away, and has not been back for long enough, nor away for too long."""
        now = time.monotonic()
        if not is_back:
            self._returned.pop(run_id, None)
            return now - self._missed.setdefault(run_id, now) < SERVER_AWAY_SECONDS
        return run_id in self._missed and now - self._returned.setdefault(run_id, now) < SERVER_BACK_SECONDS

    @cached_property
    def _missed(self) -> dict[str, float]:
        """Run -> when its server was first found to be away."""
        return {}

    @cached_property
    def _returned(self) -> dict[str, float]:
        """Run -> when its server first answered again."""
        return {}

    def _processes(self, run: DagsterRun) -> list[tuple[int, float]]:
        """Number of each process that reported to run it, and when it did, seconds since 1970."""
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
    """Whether a code server executes the run; None where no server answers."""
    request = CanCancelExecutionRequest(run_id=run.run_id)
    try:
        text = client.can_cancel_execution(request, timeout=ANSWER_TIMEOUT_SECONDS)
    except Exception as error:
        # One that is too busy to answer may well be executing it; one that is not there is not.
        cause = error.__cause__
        is_busy = isinstance(cause, grpc.RpcError) and cause.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        return True if is_busy else None
    return bool(deserialize_value(text, CanCancelExecutionResult).can_cancel)


def _lives(pid: int, reported_at: float) -> bool:
    """Whether the process that reported is still there: one that has its number now and is younger than the report is another."""
    try:
        process = psutil.Process(pid)
        return bool(process.create_time() <= reported_at and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
