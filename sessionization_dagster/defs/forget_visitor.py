"""The job forget_visitor: its configuration, its one op and its report. Wiring only.

There is one op, because Dagster stores what passes between two ops, and ids must be stored nowhere. This file does not import
`annotations` from __future__: Dagster reads the annotation of the context.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from sessionization_dagster.dbt.manifest import Manifest
from sessionization_dagster.dbt.raw_tables import raw_tables
from sessionization_dagster.defs.day_runs import DayRunError, run_days
from sessionization_dagster.defs.pools import WRITER_POOL
from sessionization_dagster.erasure.changes import RewriteError
from sessionization_dagster.erasure.forget import (
    ErasureError,
    Found,
    Scope,
    days_to_run,
    find,
    finish,
    rewrite_files,
)
from sessionization_dagster.landing import LandingError
from sessionization_dagster.publishing.published_tables import publish_all, remove_earlier_versions, tables_to_publish
from sessionization_dagster.settings.environment import Environment
from sessionization_dagster.warehouses.duckdb import DuckDBWarehouse

#: Run tags in which launchers say who requested the run.
REQUESTED_BY = ("user", "dagster/user")


class ForgetVisitor(dg.Config):
    """Whom to forget."""

    id_from_file: str = Field(
        default="",
        description=(
            "Path of a file that holds one id of the person, and nothing else: an anonymous_id or a user_id; their other ids are found. "
            "Preferred to `id`, as Dagster keeps every run's configuration."
        ),
    )
    id: str = Field(
        default="",
        description="The id itself, where no file can be written. It stays in this run's configuration until you delete the run.",
    )
    dry_run: bool = Field(
        default=False,
        description="Only show which files would be rewritten, how many rows removed and which days run. Nothing is changed.",
    )


def forget_visitor_job(
    environment: Environment,
    manifest: Manifest,
    variables: Mapping[str, Any],
    warehouse: DuckDBWarehouse,
    partitions: dg.DailyPartitionsDefinition,
    daily_job: Callable[[], dg.JobDefinition],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> dg.JobDefinition:
    """The job. daily_job returns the job that makes the tables of a range of days. now returns the record's timestamp."""
    scope = Scope(
        warehouse=warehouse,
        landing=environment.landing,
        raw_tables=raw_tables(manifest, environment.sources),
        staging=manifest.staging_views,
        logs=frozenset(log.full_name for log in manifest.logs),
        removed_files=environment.removed_files,
        blocked_ids=frozenset(variables["blocked_ids"]),
        partitions=lambda: [date.fromisoformat(key) for key in partitions.get_partition_keys()],
    )

    @dg.op(pool=WRITER_POOL, description="Erases the person; finishes an erasure that was killed.")
    def erase_person(context: dg.OpExecutionContext, config: ForgetVisitor) -> dg.Output[dict[str, Any]]:
        try:
            if config.dry_run:
                return _told(_findings(scope, find(scope, _id_of(config), None, context.log.info)))
            result = _forget(context, scope, _id_of(config), daily_job(), now)
            if environment.publish:
                # Publish again: the logs have lost rows since the days ran. Earlier versions of the files still hold the person.
                publish_all(warehouse, tables_to_publish(manifest), environment.publish)
                remove_earlier_versions(environment.publish)
            return _told(result)
        except (ErasureError, RewriteError, LandingError, DayRunError) as error:
            raise dg.Failure(str(error), allow_retries=False) from None

    @dg.job(
        name="forget_visitor",
        description=(
            "Erases a person: from the landing folder's files, from every table, and from the bytes of the warehouse's file. Takes one of "
            "their ids; leaves a row of counts in monitoring.erasures. Cannot be undone."
        ),
        executor_def=dg.in_process_executor,
    )
    def job() -> None:
        erase_person()

    return job


def _id_of(config: ForgetVisitor) -> str:
    if bool(config.id) == bool(config.id_from_file):
        raise ErasureError("Give one of id_from_file and id.")
    if config.id:
        return config.id
    try:
        return Path(config.id_from_file).expanduser().read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ErasureError(
            f"{config.id_from_file} cannot be read ({type(error).__name__}): write the id into it, as UTF-8 text."
        ) from None


def _forget(
    context: dg.OpExecutionContext,
    scope: Scope,
    identifier: str,
    daily_job: dg.JobDefinition,
    now: Callable[[], datetime],
) -> dict[str, Any]:
    found = find(scope, identifier, now().replace(tzinfo=None), context.log.info)
    rewrite_files(scope, found, context.log.info)
    days = days_to_run(scope, found)
    run_days(context, daily_job, days)
    requested_by = next((context.run.tags[tag] for tag in REQUESTED_BY if tag in context.run.tags), None)
    record = finish(scope, found, days, context.run_id, requested_by, now().replace(tzinfo=None))
    context.log.info(f"Erased: {record.raw_rows_removed} raw rows, {record.files_rewritten} files rewritten.")
    return {
        **asdict(record),
        "erased_at": record.erased_at.isoformat(),
        "files": sorted(found.progress.files),
        "unreadable_files": found.unreadable,
    }


def _findings(scope: Scope, found: Found) -> dict[str, Any]:
    """The report of a dry run. It also counts rows of other people that may name the person; only their text shows whether they do."""
    return {
        "dry_run": True,
        "aliases": len(found.progress.ids.names),
        "raw_rows_removed": found.plan.removed,
        "raw_rows_blanked": found.plan.blanked,
        "days_rerun": len(days_to_run(scope, found)),
        "files": sorted(found.plan.files),
        "unreadable_files": found.unreadable,
    }


def _told(result: dict[str, Any]) -> dg.Output[dict[str, Any]]:
    """The result as the op's output, and as metadata in the UI."""
    return dg.Output(result, metadata={name: value for name, value in result.items() if value is not None})
