"""matches_full_rebuild: a sample of visitors recomputed from raw rows, as one asset check per table that has rows of visitors."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from pydantic import Field

from sessionization_dagster.dbt.raw_tables import raw_tables
from sessionization_dagster.defs.pools import WRITER_POOL
from sessionization_dagster.defs.repair import PARTITIONS_TO_RERUN
from sessionization_dagster.defs.retries import retrying
from sessionization_dagster.metadata.markdown import markdown_table
from sessionization_dagster.rebuild.compare import Difference
from sessionization_dagster.rebuild.keyed_tables import KeyedTable, keyed_tables
from sessionization_dagster.rebuild.pipeline import Engine
from sessionization_dagster.rebuild.recompute import Comparison, TableComparison, compare_sample
from sessionization_dagster.rebuild.visitor_sample import RawData, SampleRequest

NAME = "matches_full_rebuild"
SHOWN = 10


class VisitorSample(dg.Config):
    """Which visitors a run of the checks looks at.

    Attributes:
        sample_size: how many, by a hash of their name and the salt.
        visitors: these instead.
        salt: the run's id where it is empty, so that every run looks at others.
        max_rows: visitors with whom more raw rows hang together are left out, and reported.
    """

    sample_size: int = 20
    visitors: list[str] = Field(default_factory=list)
    salt: str = ""
    max_rows: int = 200_000


def build_rebuild_checks(
    engine: Engine,
    sources: Sequence[str],
    blocked_ids: Sequence[str],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> dg.AssetChecksDefinition:
    """One op with one check per table. now returns the timestamp of identity changes in the scratch warehouse.

    Raises:
        SettingsError: a model's config does not say whose its rows are, or a raw table's does not say which columns hold ids.
    """
    manifest = engine.project.manifest
    tables = {dg.AssetKey([table.schema, table.name]): table for table in keyed_tables(manifest)}
    raw = RawData.of(manifest, raw_tables(manifest, sources), blocked_ids)

    @dg.multi_asset_check(
        name=NAME,
        specs=[
            dg.AssetCheckSpec(
                NAME,
                asset=key,
                description="Sampled visitors' rows are those that a rebuild from their raw rows gives.",
            )
            for key in tables
        ],
        can_subset=True,
        pool=WRITER_POOL,
    )
    def matches_full_rebuild(
        context: dg.AssetCheckExecutionContext, config: VisitorSample
    ) -> Iterator[dg.AssetCheckResult]:
        request = SampleRequest(
            config.sample_size, config.salt or context.run.run_id, tuple(config.visitors), config.max_rows
        )
        selected = {key.asset_key: tables[key.asset_key] for key in context.selected_asset_check_keys}
        with retrying(context.op_execution_context):
            comparison = compare_sample(
                engine, raw, list(selected.values()), request, now().replace(tzinfo=None), context.run.run_id
            )
        context.log.info(_summary(comparison))
        for key, table in selected.items():
            yield _result(key, table, comparison, request.salt)
        # Dagster itself fails no run for a failed check, and nobody would be notified of a nightly one.
        _require_equal_rows(comparison)

    return matches_full_rebuild


def _require_equal_rows(comparison: Comparison) -> None:
    differing = {name: table for name, table in sorted(comparison.tables.items()) if table.rows}
    if differing:
        found = ", ".join(f"{name.rsplit('.', 1)[-1]} ({table.rows} rows)" for name, table in differing.items())
        raise dg.Failure(
            f"Rows of sampled visitors differ from those that a rebuild gives: {found}. "
            "The asset checks show the first of them; the job repair runs their days again.",
            allow_retries=False,
        )


def _summary(comparison: Comparison) -> str:
    wrong = sum(table.rows > 0 for table in comparison.tables.values())
    sample = comparison.sample
    return (
        f"{len(sample.visitors)} visitors recomputed from {sample.raw_rows} raw rows: {wrong} of {len(comparison.tables)} tables differ. "
        f"{len(sample.skipped)} visitors left out, {len(comparison.pending)} days to be run."
    )


def _result(key: dg.AssetKey, table: KeyedTable, comparison: Comparison, salt: str) -> dg.AssetCheckResult:
    found = comparison.tables.get(table.unique_id, TableComparison(is_built=False))
    metadata: dict[str, Any] = {
        "visitors": len(comparison.sample.visitors),
        "raw_rows": comparison.sample.raw_rows,
        "salt": salt,
        "skipped": dg.MetadataValue.json(list(comparison.sample.skipped)),
        "pending": dg.MetadataValue.json([day.isoformat() for day in comparison.pending]),
    }
    description = (
        None if found.is_built else "Nothing to compare yet: the table is not built, or there are no visitors."
    )
    if found.rows:
        first = found.differences[0]
        description = f"Rows that differ: {found.rows}. The first: {table.relation}, {first}"
        metadata |= {
            "rows_that_differ": found.rows,
            "differences": dg.MetadataValue.md(_table(found.differences[:SHOWN])),
            PARTITIONS_TO_RERUN: dg.MetadataValue.json([day.isoformat() for day in found.dates]),
        }
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=NAME,
        passed=not found.rows,
        severity=dg.AssetCheckSeverity.ERROR,
        description=description,
        metadata=metadata,
    )


def _table(found: Sequence[Difference]) -> str:
    return markdown_table(
        ["row", "column", "stored", "recomputed"],
        [(difference.row, difference.column or "whole row", *difference.sides) for difference in found],
    )
