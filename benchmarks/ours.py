"""The project's own command with stopwatches in it: `python -m benchmarks.ours [--warm] TIMINGS.json --from DAY --to DAY [--select ...]`.

What runs is `sessionization run`. The stopwatches write down where its seconds went, and nothing else:

  start       the process, imports, definitions (and the parsing of the dbt project where it is not cached)
  landing     raw files into raw tables
  identity    the identity graph
  models      while dbt was at work on some model: the SQL, and dbt's work around it. Several can be at work at once
  statements  of that, while DuckDB was at work for one; the rest is dbt's
  tests       while dbt was at work on tests alone
  dbt         dbt commands besides their nodes: start and end
  dagster     the run besides all that
  end         the summary that the command prints

--warm runs the days a second time in the same process, as a daemon that has all loaded would, and tells of that alone.
models_split tells of each model: seconds by dbt's clock, and those of its statements in DuckDB by their kind, and the process's CPU
meanwhile.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import psutil
from dbt_common.events.contextvars import get_node_info

BEGAN_AT = psutil.Process().create_time()
#: From when to when, by one clock.
Span = tuple[float, float]
COMMENT = re.compile(r"/\*.*?\*/\s*", re.DOTALL)


class Stopwatches:
    """Seconds by name, spans of what may happen at once, and seconds by model."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.spans: defaultdict[str, list[Span]] = defaultdict(list)
        self.models: defaultdict[str, dict[str, Any]] = defaultdict(dict)

    def clear(self) -> None:
        """Begin anew."""
        for kept in (self.seconds, self.spans, self.models):
            kept.clear()

    def around(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, timed."""

        @wraps(function)
        def timed(*arguments: Any, **named: Any) -> Any:
            with self.running(name):
                return function(*arguments, **named)

        return timed

    @contextmanager
    def running(self, name: str) -> Iterator[None]:
        """Time what is inside."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - began

    def statement(self, execute: Callable[..., Any]) -> Callable[..., Any]:
        """A cursor's execute, timed, for the model that it works for."""

        @wraps(execute)
        def timed(cursor: Any, sql: str, *arguments: Any, **named: Any) -> Any:
            began, cpu_began = time.perf_counter(), time.process_time()
            try:
                return execute(cursor, sql, *arguments, **named)
            finally:
                self._note_statement(sql, (began, time.perf_counter()), time.process_time() - cpu_began)

        return timed

    def _note_statement(self, sql: str, span: Span, cpu_seconds: float) -> None:
        # dbt's own log knows which node its thread works on.
        node = get_node_info()
        if node.get("resource_type") not in ("model", "seed"):
            return
        self.spans["statements"].append(span)
        kind = " ".join(COMMENT.sub("", sql).lower().split()[:2])
        model = self.models[node["node_name"]]
        model["cpu_seconds"] = model.get("cpu_seconds", 0.0) + cpu_seconds
        kinds = model.setdefault("statements", {})
        kinds[kind] = kinds.get(kind, 0.0) + span[1] - span[0]

    def take_result(self, event: dict[str, Any]) -> None:
        """Note how long a dbt node took, by dbt's own clock."""
        ended, seconds = time.perf_counter(), float(event["data"].get("execution_time", 0))
        is_test = event["info"]["name"] == "LogTestResult"
        self.spans["tests" if is_test else "models"].append((ended - seconds, ended))
        if not is_test:
            self.models[event["data"]["node_info"]["node_name"]]["seconds"] = seconds


def covered(spans: Iterable[Span]) -> float:
    """How many seconds lie in at least one of the spans."""
    seconds, until = 0.0, float("-inf")
    for began, ended in sorted(spans):
        seconds += max(0.0, ended - max(began, until))
        until = max(until, ended)
    return seconds


def install(watches: Stopwatches) -> None:
    """Put the stopwatches around the project's functions, in this process."""
    import dagster as dg
    from dbt.adapters.duckdb.environments.local import DuckDBCursorWrapper

    from sessionization_dagster.dbt.events import Progress
    from sessionization_dagster.dbt.runner import DbtRunner
    from sessionization_dagster.defs.assets import identity, landing

    landing.land = watches.around("landing", landing.land)  # type: ignore[attr-defined]
    identity.update_identity_graph = watches.around("identity", identity.update_identity_graph)  # type: ignore[attr-defined]
    DbtRunner.invoke = watches.around("dbt_commands", DbtRunner.invoke)  # type: ignore[method-assign]
    DuckDBCursorWrapper.execute = watches.statement(DuckDBCursorWrapper.execute)
    take = Progress.__call__

    def take_and_note(self: Progress, event: dict[str, Any]) -> None:
        watches.take_result(event)
        take(self, event)

    Progress.__call__ = take_and_note  # type: ignore[method-assign]
    run = dg.JobDefinition.execute_in_process

    def timed_run(*arguments: Any, **named: Any) -> Any:
        watches.seconds["start"] = time.time() - BEGAN_AT
        with watches.running("run"):
            return run(*arguments, **named)

    dg.JobDefinition.execute_in_process = timed_run  # type: ignore[method-assign]


def split(watches: Stopwatches) -> dict[str, Any]:
    """The parts of the whole. They add up to it, but for statements, which are a part of models, and sql, which are two of them."""
    seconds, spans = watches.seconds, watches.spans
    parts: dict[str, Any] = {name: seconds[name] for name in ("start", "landing", "identity", "run")}
    parts["models"], parts["statements"] = covered(spans["models"]), covered(spans["statements"])
    parts["tests"] = covered(spans["models"] + spans["tests"]) - parts["models"]
    parts["dbt"] = seconds["dbt_commands"] - parts["models"] - parts["tests"]
    parts["dagster"] = seconds["run"] - seconds["dbt_commands"] - seconds["landing"] - seconds["identity"]
    parts["end"] = time.time() - BEGAN_AT - seconds["start"] - seconds["run"]
    parts["sql"] = parts["models"] + parts["identity"]
    parts["models_split"] = dict(watches.models)
    return parts


def main() -> int:
    """Run the project's command with the arguments that follow the file for the timings."""
    from sessionization_dagster.cli import __main__ as cli

    is_warm = sys.argv[1] == "--warm"
    if is_warm:
        del sys.argv[1]
    timings = Path(sys.argv.pop(1))
    watches = Stopwatches()
    install(watches)
    command = ["run", *sys.argv[1:]]
    code = cli.main(command)
    if is_warm and code == 0:
        watches.clear()
        code = cli.main(command)
    timings.write_text(json.dumps(split(watches)))
    return code


if __name__ == "__main__":
    sys.exit(main())
