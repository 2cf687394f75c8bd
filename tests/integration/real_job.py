"""Runs the real job on real files: Dagster, in-process dbt, landing, one DuckDB file."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import yaml

from sessionization_dagster.definitions import build_definitions
from sessionization_dagster.defs.resources import build_warehouse
from sessionization_dagster.settings.environment import Environment
from sessionization_dagster.warehouses.duckdb import DuckDBWarehouse
from tests.integration.raw_fields import MADE_WHEN_NEEDED, columns_of, raw_record
from tests.integration.thin_driver import read_tables
from tests.oracle import model
from tests.oracle.model import RawRow, Settings

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass
class Project:
    """A landing folder and a warehouse of its own, with the definitions for them."""

    environment: Environment
    definitions: dg.Definitions
    instance: dg.DagsterInstance

    @classmethod
    def create(
        cls, folder: Path, instance: dg.DagsterInstance, variables: Mapping[str, Any] | None = None, **settings: str
    ) -> Project:
        """A project below the folder; variables are dbt's, settings further SESSIONIZATION_ variables without the prefix."""
        environment = Environment.from_env(
            {
                "SESSIONIZATION_DUCKDB_PATH": str(folder / "sessionization.duckdb"),
                "SESSIONIZATION_LANDING": str(folder / "landing"),
                **{f"SESSIONIZATION_{name.upper()}": value for name, value in settings.items()},
            }
        )
        return cls(environment, build_definitions(environment, variables), instance)

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables that say the same, for processes."""
        end = self.environment.end_date
        return {
            "SESSIONIZATION_DUCKDB_PATH": str(self.environment.duckdb_path),
            "SESSIONIZATION_LANDING": str(self.environment.landing),
            "SESSIONIZATION_START_DATE": self.environment.start_date.isoformat(),
            "SESSIONIZATION_TIMEZONE": self.environment.timezone,
            **({} if end is None else {"SESSIONIZATION_END_DATE": end.isoformat()}),
            **({"SESSIONIZATION_FAMILIES": ",".join(families)} if (families := self.environment.families) else {}),
        }

    def makes(self, table: str) -> bool:
        """Whether schema.table is one of its assets: it is not where its family was not chosen."""
        return dg.AssetKey(table.split(".")) in self.definitions.resolve_asset_graph().get_all_asset_keys()

    def digest(self) -> dict[str, tuple[int, str]]:
        """Every output table that it makes as (rows, digest of its rows in any order)."""
        counted = "count(*) as n, coalesce(cast(bit_xor(md5_number(cast(t as varchar))) as varchar), '') as digest"
        with build_warehouse(self.environment).connect() as connection:
            found = {
                table: connection.query(f"select {counted} from {table} as t").to_pylist()
                for table in OUTPUT_TABLES
                if self.makes(table)
            }
        return {table: (row["n"], row["digest"]) for table, (row,) in found.items()}

    def run(self, first: date, last: date | None = None, raise_on_error: bool = True) -> dg.ExecuteInProcessResult:
        """The daily job over first..last in one run."""
        tags = {
            "dagster/asset_partition_range_start": first.isoformat(),
            "dagster/asset_partition_range_end": (last or first).isoformat(),
        }
        return self.definitions.resolve_job_def("daily_sessionization").execute_in_process(
            instance=self.instance, tags=tags, run_config=QUIET, raise_on_error=raise_on_error
        )

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Rows of a query."""
        with build_warehouse(self.environment).connect() as connection:
            return connection.query(sql).to_pylist()

    def land(self, name: str, rows: Iterable[RawRow]) -> Path:
        """Write rows of one raw table as a csv file below the landing folder; name is <table>/<file>."""
        path = self.environment.landing / "rudderstack" / f"{name}.csv"
        return write_csv(path, list(rows), path.parent.name)


def write_csv(path: Path, rows: list[RawRow], table: str) -> Path:
    """Write rows as RudderStack's table of that name."""
    columns = columns_of("rudderstack", table)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in rows:
            writer.writerow([_text(getattr(row, name)) for name in columns.values()])
    return path


def write_jsonl(path: Path, rows: Iterable[RawRow]) -> Path:
    """Write rows of any source as JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(raw_record(row), default=_text) + "\n" for row in rows))
    return path


def _text(value: object) -> object:
    return f"{value.isoformat()}Z" if isinstance(value, datetime) else value


def oracle_differences(project: Project, rows: list[RawRow], settings: Settings, first: date, last: date) -> list[str]:
    """Compare every table that the oracle knows and the project makes; one readable text per table that differs."""
    assert project.makes("core.session_events")
    warehouse = DuckDBWarehouse(project.environment.duckdb_path)
    return model.differences(
        rows, settings, first, last, project.makes, lambda columns: read_tables(warehouse, columns)
    )


ROOT = Path(__file__).resolve().parents[2]
PROMISED = yaml.safe_load((ROOT / "docs" / "tables.yml").read_text())
LOGS = {
    "core.affected_visitors", "core.identity_changes",
    "monitoring.dbt_run_results", "monitoring.data_freshness", "monitoring.erasures",
}  # fmt: skip
OUTPUT_TABLES = [name for schema in PROMISED for table in PROMISED[schema] if (name := f"{schema}.{table}") not in LOGS]


def sample_rows(path: Path) -> list[RawRow]:
    """The rows of a parquet file of tracks; id and url may have the names event_id and url, and other columns are properties."""
    import pyarrow.parquet as pq

    names = {"event_id": "id", "url": "url", **columns_of("rudderstack", "tracks"), **MADE_WHEN_NEEDED["tracks"]}
    rows = []
    for record in pq.read_table(path).to_pylist():
        fields = {names[column]: value for column, value in record.items() if column in names}
        traits = tuple((column, value) for column, value in record.items() if column not in names and value is not None)
        at = fields["timestamp"]
        rows.append(RawRow("tracks", **{**fields, "timestamp": at and at.replace(tzinfo=None)}, traits=traits))
    return rows
