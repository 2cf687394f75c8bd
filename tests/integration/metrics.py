"""MetricFlow's SQL for the project's metrics, as it would send it to a warehouse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from metricflow.engine.metricflow_engine import MetricFlowEngine, MetricFlowQueryRequest
from metricflow.protocols.sql_client import SqlEngine
from metricflow.sql.render.big_query import BigQuerySqlPlanRenderer
from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer
from metricflow_semantic_interfaces.validations.semantic_manifest_validator import SemanticManifestValidator
from metricflow_semantics.model.dbt_manifest_parser import parse_manifest_from_dbt_generated_manifest
from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

from sessionization_dagster.dbt.project import DbtProject

DIMENSIONS = (
    "metric_time__day", "session__channel_group", "session__touch_source", "session__touch_medium", "session__country",
    "session__device_type", "session__traffic_type",
)  # fmt: skip


@dataclass(frozen=True)
class _Dialect:
    """All that the engine asks of a client to write SQL."""

    sql_engine_type: SqlEngine
    sql_plan_renderer: Any


class Metrics:
    """The metrics of a project.

    Attributes:
        names: all of them.
        problems: what MetricFlow has to say against the semantic models.
    """

    def __init__(self, project: DbtProject) -> None:
        """Read what dbt wrote beside its manifest."""
        assert project.manifest
        text = (project.target_path / "semantic_manifest.json").read_text()
        manifest = parse_manifest_from_dbt_generated_manifest(text)
        found = SemanticManifestValidator().validate_semantic_manifest(manifest)
        self.problems = [*found.errors, *found.warnings]
        self.names = [metric.name for metric in manifest.metrics]
        dialect = {
            "duckdb": _Dialect(SqlEngine.DUCKDB, DuckDbSqlPlanRenderer()),
            "bigquery": _Dialect(SqlEngine.BIGQUERY, BigQuerySqlPlanRenderer()),
        }[project.target]
        self._engine = MetricFlowEngine(SemanticManifestLookup(manifest), dialect)  # type: ignore[arg-type]

    def sql(self, names: Sequence[str], by: Sequence[str]) -> str:
        """The statement that answers the metrics by dimensions."""
        request = MetricFlowQueryRequest.create(metric_names=names, group_by_names=by)
        return str(self._engine.explain(request).sql_statement.sql)
