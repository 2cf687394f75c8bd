"""Erases a person, step by step. After a kill at any step, the same call finishes. No Dagster; the SQL is in the modules called here.

1. The raw tables are updated from the files. The person's ids, records and days are found and noted in the warehouse.
2. The files are rewritten. The raw tables are made from them, so from here on a rebuild no longer brings the person back.
3. Ordinary runs of the daily job make the tables of those days again.
4. Rows that name the person are removed from logs, and every table is searched.
5. The warehouse's file is written anew, with a record of the erasure and without the note of step 1.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from sessionization_dagster.erasure.changes import Outcome
from sessionization_dagster.erasure.fresh_file import write_anew
from sessionization_dagster.erasure.ids import Ids
from sessionization_dagster.erasure.kept_rows import erase_kept_rows
from sessionization_dagster.erasure.person import Plan, aliases_of, bind_subject, plan, rows_of
from sessionization_dagster.erasure.progress import (
    IN_PROGRESS,
    Progress,
    Record,
    load_progress,
    save_progress,
    write_record,
)
from sessionization_dagster.erasure.rewrite import rewrite
from sessionization_dagster.erasure.traces import remove_from_logs, traces
from sessionization_dagster.identity.placeholders import names_nobody
from sessionization_dagster.landing import RawTable, RemovedFiles, land
from sessionization_dagster.landing.data_file import LandedFile
from sessionization_dagster.landing.files import discover
from sessionization_dagster.landing.ledger import REMOVED, entries
from sessionization_dagster.warehouses.duckdb import DuckDBConnection, DuckDBWarehouse


class ErasureError(RuntimeError):
    """The erasure cannot continue. The message says why and what to do, and names no id."""


@dataclass(frozen=True)
class Scope:
    """Where a person is to be erased.

    Attributes:
        warehouse: the DuckDB warehouse.
        landing: the folder of raw files.
        raw_tables: the tables that are landed from it.
        staging: the views that stage the raw tables' rows.
        logs: tables whose rows no later run needs.
        removed_files: whether the rows of removed files are kept.
        blocked_ids: texts that identify nobody.
        partitions: the days that can be run.
    """

    warehouse: DuckDBWarehouse
    landing: Path
    raw_tables: Sequence[RawTable]
    staging: Sequence[str]
    logs: frozenset[str]
    removed_files: RemovedFiles
    blocked_ids: frozenset[str]
    partitions: Callable[[], Sequence[date]]

    @property
    def prefixes(self) -> frozenset[str]:
        """Beginnings of ids in files that may be left out without changing the id."""
        return frozenset(column.prefix for table in self.raw_tables for column in table.columns if column.prefix)


@dataclass(frozen=True)
class Found:
    """The files that the erasure of a person affects.

    Attributes:
        progress: the erasure.
        files: file -> its path.
        plan: the changes that the files' records still need.
        unreadable: files whose content is unknown because they cannot be read.
    """

    progress: Progress
    files: dict[str, LandedFile]
    plan: Plan
    unreadable: list[str] = field(default_factory=list)


def find(scope: Scope, identifier: str, landed_at: datetime | None, report: Callable[[str], None]) -> Found:
    """Find everything that belongs to the person with this id. landed_at: new files are landed first, with this time.

    Raises:
        ErasureError: the id identifies nobody.
    """
    if names_nobody(identifier, scope.blocked_ids):
        raise ErasureError(
            "The id given is empty or among the var blocked_ids: it names nobody. Give an anonymous_id or a user_id."
        )
    with scope.warehouse.connect() as connection:
        if landed_at is not None:
            land(
                connection.native,
                scope.landing,
                list(scope.raw_tables),
                landed_at,
                report=report,
                removed=scope.removed_files,
            )
        asked = {id_ for id_ in (identifier.strip(), *map(identifier.strip().removeprefix, scope.prefixes)) if id_}
        known = {alias for id_ in asked for alias in aliases_of(connection, id_)}
        begun = load_progress(connection, {identifier, *asked}, scope.prefixes)
        progress = begun or Progress(str(uuid.uuid4()), Ids.of({identifier, *asked, *known}, scope.prefixes))
        bind_subject(connection, progress.ids)
        planned = plan(connection, scope.staging, progress.ids)
        if begun is None and not known and not planned.files:
            raise ErasureError(
                f"Nobody is known by the id given ({len(identifier)} characters; the log does not repeat it): not in core.identity_graph, "
                "not in any raw row. Compare it with core.identity_graph.alias, upper and lower case included; a person erased before "
                "is in monitoring.erasures, without a name."
            )
        progress.days |= planned.days
        found = discover(scope.landing, scope.raw_tables)
        files = {file.source_file: file for landed in found.files.values() for file in landed}
        if landed_at is not None:
            save_progress(connection, progress)
            _require_unchanged(connection, scope, files, planned.files)
        unreadable = rows_of(
            connection, "select source_file from raw.landed_files where status = 'unreadable' order by 1"
        )
    names = [row["source_file"] for row in unreadable] + [path for path, _ in found.ignored]
    return Found(progress, files, planned, names)


def _require_unchanged(
    connection: DuckDBConnection, scope: Scope, files: dict[str, LandedFile], wanted: Iterable[str]
) -> None:
    """Records are identified by their numbers, so each file must be unchanged since it was landed."""
    known = {name: entry for table in scope.raw_tables for name, entry in entries(connection.native, table).items()}
    changed = [
        name
        for name in wanted
        if (known[name].status != REMOVED if name not in files else not known[name].describes(files[name]))
    ]
    if changed:
        raise ErasureError(f"{', '.join(changed)}: changed while it was looked at. Nothing was rewritten: run again.")


def rewrite_files(scope: Scope, found: Found, report: Callable[[str], None]) -> None:
    """Rewrite the files of the plan. Just before each file is replaced, the number of affected records is noted in the warehouse.

    Rows whose file was removed from the folder are changed in the warehouse.

    Raises:
        RewriteError: a file cannot be rewritten. It and the files after it are unchanged.
        ErasureError: a file has changed meanwhile.
    """
    progress = found.progress
    with scope.warehouse.connect() as connection:
        for name, changes in found.plan.files.items():

            def settle(outcome: Outcome, name: str = name) -> None:
                progress.settle(name, outcome)
                save_progress(connection, progress)

            file = found.files.get(name)
            if file is None:
                outcome = erase_kept_rows(connection, scope.raw_tables, name, changes, progress.ids, settle)
            else:
                _require_as_found(file)
                outcome = rewrite(file, changes, progress.ids, settle)
            if outcome.is_change:
                report(
                    f"{name}: {outcome.removed + outcome.rejects_removed} records removed, {outcome.blanked} blanked"
                )


def _require_as_found(file: LandedFile) -> None:
    status = Path(file.path).stat()
    if (status.st_size, status.st_mtime_ns) != (file.size_bytes, file.modified_ns):
        raise ErasureError(
            f"{file.source_file}: changed while the person's records were looked for. It was left as it is: run again."
        )


def days_to_run(scope: Scope, found: Found) -> list[date]:
    """The partitions to run. There is at least one, because any run lands the rewritten files and renews tables without days.

    Raises:
        ErasureError: there are no partitions at all.
    """
    partitions = scope.partitions()
    if not partitions:
        raise ErasureError("There are no partitions yet: set SESSIONIZATION_START_DATE, and run again.")
    return sorted(found.progress.days & set(partitions)) or [partitions[-1]]


def finish(
    scope: Scope, found: Found, days: Sequence[date], run_id: str, requested_by: str | None, erased_at: datetime
) -> Record:
    """Remove the traces that runs do not remove, check that no table names the person, and write the warehouse's file anew.

    Raises:
        ErasureError: a table still names the person.
    """
    ids = found.progress.ids
    with scope.warehouse.connect() as connection:
        bind_subject(connection, ids)
        log_rows = remove_from_logs(connection, ids, scope.logs)
        left, searched = traces(connection, ids)
    if left:
        raise ErasureError(
            f"The person is still named in {', '.join(f'{name} ({count} rows)' for name, count in left.items())}. Either these rows lie on "
            "days that are no partitions now (see SESSIONIZATION_START_DATE and _END_DATE), or a file or its name still holds an id. "
            "Mend that and run again: the erasure goes on from here."
        )
    removed, rejects, blanked = found.progress.counts
    record = Record(
        erased_at=erased_at,
        erasure_id=found.progress.erasure_id,
        run_id=run_id,
        requested_by=requested_by,
        aliases=len(ids.names),
        raw_rows_removed=removed,
        raw_rows_blanked=blanked,
        raw_rejects_removed=rejects,
        files_rewritten=len(found.progress.files),
        days_rerun=len(days),
        log_rows_removed=log_rows,
        tables_verified=searched,
    )
    note = {IN_PROGRESS: f"erasure_id = '{found.progress.erasure_id}'"}
    write_anew(scope.warehouse, lambda connection: write_record(connection, record), note)
    return record
