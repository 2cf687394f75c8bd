"""Dagster's own run launcher, able to tell whether a run's process still lives. Named in dagster.yaml; nothing imports it.

A run whose process was killed together with the server that started it stays "started" for good: nobody is left to say otherwise, and
it holds the pool in which all writers are. Dagster's monitoring daemon asks a run's launcher for its health, where that can tell.

The types of the answer have no public import; a test pins them.
"""

from __future__ import annotations

from typing import Any

import grpc
import psutil
from dagster import DagsterEventType, DagsterRun, DefaultRunLauncher, deserialize_value
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster._grpc.client import DagsterGrpcClient
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult

ANSWER_TIMEOUT_SECONDS = 10
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
        """
        client = self._get_grpc_client_for_termination(run.run_id)  # type: ignore[no-untyped-call]
        if client is not None and _executes(client, run):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        if client is None or client.socket or client.host in LOCAL_HOSTS:
            processes = self._processes(run)
            if not processes or any(_lives(*process) for process in processes):
                return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, "its process is gone")

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


def _executes(client: DagsterGrpcClient, run: DagsterRun) -> bool:
    """Whether a code server executes the run."""
    request = CanCancelExecutionRequest(run_id=run.run_id)
    try:
        text = client.can_cancel_execution(request, timeout=ANSWER_TIMEOUT_SECONDS)
    except Exception as error:
        # One that is too busy to answer may well be executing it; one that is not there is not.
        cause = error.__cause__
        return isinstance(cause, grpc.RpcError) and cause.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    return bool(deserialize_value(text, CanCancelExecutionResult).can_cancel)


def _lives(pid: int, reported_at: float) -> bool:
    """Whether the process that reported is still there: one that has its number now and is younger than the report is another."""
    try:
        process = psutil.Process(pid)
        return bool(process.create_time() <= reported_at and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
