"""A process that runs the daily job and kills itself, without warning, before its n-th statement to DuckDB.

python -m tests.integration.killed_child <n, 0: never> <first day> <last day>      prints how many statements it sent
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import dagster as dg
from dbt.adapters.duckdb.environments import local

from sessionization_dagster.definitions import build_definitions
from sessionization_dagster.settings.environment import Environment
from sessionization_dagster.warehouses.duckdb import DuckDBConnection
from tests.integration.real_job import QUIET

sent = 0


def counting(method: Callable[..., Any], kill_at: int) -> Callable[..., Any]:
    def call(*arguments: Any, **options: Any) -> Any:
        global sent
        sent += 1
        if sent == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return method(*arguments, **options)

    return call


def main() -> None:
    kill_at, first, last = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    for owner in (DuckDBConnection, local.DuckDBCursorWrapper):
        owner.execute = counting(owner.execute, kill_at)  # type: ignore[method-assign]
    DuckDBConnection.query = counting(DuckDBConnection.query, kill_at)  # type: ignore[method-assign]
    job = build_definitions(Environment.from_env(), {}).resolve_job_def("daily_sessionization")
    tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
    with dg.DagsterInstance.ephemeral() as instance:
        job.execute_in_process(instance=instance, tags=tags, run_config=QUIET)
    print(sent)


if __name__ == "__main__":
    main()
