"""Starts the emulator, inside its own environment, with what it lacks.

- Its JavaScript engine (V8) dies with a segmentation fault on processors with memory protection keys, unless a flag of V8 forbids them.
- Its parser copies each subquery's source to look for arrays that are unnested without the word, which no statement of ours has: deep
  queries took minutes.
- It has one connection, and answers some requests in threads: a result could be overwritten by another's before it is read. All
  requests are answered in turn.
- With a folder of buckets (BQEMU_GCS_LOCAL_ROOT), load jobs follow their options and a job id can be given once. On its own the emulator
  takes each CSV file for one with commas, double quotes and a header, and does not see what columns Parquet has.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from typing import Any

import fastapi.dependencies.utils
import fastapi.routing
from bqemulator.api.routes import jobs
from bqemulator.cli import main
from bqemulator.domain.errors import AlreadyExistsError
from bqemulator.jobs import executor
from py_mini_racer import init_mini_racer
from sqlglot.dialects.bigquery import BigQuery

#: V8's flags can be set once, before its first use.
V8_FLAGS = ("--single-threaded", "--no-memory-protection-keys")

TYPES = {
    "VARCHAR": "STRING",
    "BIGINT": "INT64",
    "INTEGER": "INT64",
    "DOUBLE": "FLOAT64",
    "BOOLEAN": "BOOL",
    "DATE": "DATE",
    "TIMESTAMP": "TIMESTAMP",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
}

_load_path = executor._load_path_into_target
_load_job = executor.execute_load_job
_given: set[str] = set()


def load_path(path: str, job: Any, ctx: Any) -> None:
    if job.source_format != "CSV":
        return _load_path(path, job, ctx)
    config = job.raw_config
    quote = config.get("quote", '"').replace("'", "''")
    delimiter = config.get("fieldDelimiter", ",")
    # The header is the first line, as the tests write it.
    ctx.engine.execute(
        f"COPY {job.target_ref} FROM ? (FORMAT CSV, AUTO_DETECT false, HEADER {int(config.get('skipLeadingRows', 0)) > 0}, "
        f"DELIM '{delimiter}', QUOTE '{quote}', ESCAPE '{quote}', NULLSTR '', STRICT_MODE true)",
        [path],
    )


async def load_job(project_id: str, job_id: str, config: dict[str, Any], ctx: Any) -> Any:
    load = config["load"]
    if load.get("sourceFormat") == "PARQUET" and not load.get("schema"):
        path = executor._resolve_uri(load["sourceUris"][0], ctx)
        found = ctx.engine.execute(f"DESCRIBE SELECT * FROM read_parquet('{path}')").fetchall()
        fields = [{"name": row[0], "type": TYPES[row[1]], "mode": "NULLABLE"} for row in found]
        config = {**config, "load": {**load, "schema": {"fields": fields}}}
    return await _load_job(project_id, job_id, config, ctx)


async def given_job(project_id: str, job_id: str, config: dict[str, Any], ctx: Any) -> Any:
    if job_id in _given:
        raise AlreadyExistsError(f"Already Exists: Job {project_id}:{job_id}")
    _given.add(job_id)
    return await _answer(project_id, job_id, config, ctx)


_answer = jobs._handle_load_job_with_async_envelope


async def in_turn(function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Any:
    return function(*arguments, **named)


def main_with_patches() -> Any:
    """Run the emulator's command line."""
    # Parsed statements are many objects. By default, two fifths of the emulator's time went to looking for cycles among them.
    gc.set_threshold(50_000, 20, 100)
    init_mini_racer(flags=V8_FLAGS)
    BigQuery.parser_class.SUPPORTS_IMPLICIT_UNNEST = False
    fastapi.routing.run_in_threadpool = fastapi.dependencies.utils.run_in_threadpool = in_turn
    if os.environ.get("BQEMU_GCS_LOCAL_ROOT"):
        jobs._handle_load_job_with_async_envelope = given_job
        executor._load_path_into_target = load_path
        jobs.execute_load_job = load_job
    return main()


if __name__ == "__main__":
    sys.exit(main_with_patches())
