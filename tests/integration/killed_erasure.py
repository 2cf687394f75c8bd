"""A process that runs the job forget_visitor and kills itself, without warning, at a point of it.

python -m tests.integration.killed_erasure <first file | files | tables> <file with an id>
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import dagster as dg

from sessionization_dagster.definitions import build_definitions
from sessionization_dagster.defs import forget_visitor
from sessionization_dagster.erasure import forget, fresh_file
from sessionization_dagster.settings.environment import Environment
from tests.integration.real_job import QUIET


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dying_after(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any) -> None:
        function(*arguments)
        die()

    return call


def main() -> None:
    point, path = sys.argv[1:]
    if point == "first file":
        forget.rewrite = dying_after(forget.rewrite)  # type: ignore[attr-defined]
    elif point == "files":
        forget_visitor.run_days = die  # type: ignore[assignment, attr-defined]
    else:
        fresh_file.put_in_place = die  # type: ignore[attr-defined]
    erase = build_definitions(Environment.from_env()).resolve_job_def("forget_visitor")
    config = {"ops": {"erase_person": {"config": {"id_from_file": path}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        erase.execute_in_process(instance=instance, run_config={**QUIET, **config})


if __name__ == "__main__":
    main()
