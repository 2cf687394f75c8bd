"""Runs the real job on real files: Dagster, in-process dbt, landing, one DuckDB file."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import yaml

from sessionization_dagster.definitions import build_definitions
from sessionization_dagster.environment import Environment
from sessionization_dagster.resources import build_warehouse
from sessionization_dagster.warehouses.duckdb import DuckDBConnection
from tests.oracle import model
from tests.oracle.compare import difference
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
        }

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


COLUMNS = {
    "tracks": ["id", "anonymous_id", "user_id", "timestamp", "event", "received_at", "context_page_url"],
    "pages": ["id", "anonymous_id", "user_id", "timestamp", "name", "received_at", "url"],
    "screens": ["id", "anonymous_id", "user_id", "timestamp", "name", "received_at", "url"],
    "identifies": ["id", "anonymous_id", "user_id", "timestamp", "received_at"],
    "aliases": ["id", "previous_id", "user_id", "timestamp", "received_at"],
}
FIELD_OF = {"name": "event", "context_page_url": "url"}


def write_csv(path: Path, rows: list[RawRow], table: str) -> Path:
    """Write rows as RudderStack's table of that name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS[table])
        for row in rows:
            writer.writerow([_text(getattr(row, FIELD_OF.get(column, column))) for column in COLUMNS[table]])
    return path


def _text(value: object) -> object:
    return f"{value.isoformat()}Z" if isinstance(value, datetime) else value


def oracle_differences(project: Project, rows: list[RawRow], settings: Settings, first: date, last: date) -> list[str]:
    """Compare every table that the oracle knows; one readable text per table that differs."""
    expected = model.tables(rows, settings, first, last)
    columns = model.columns(settings)
    found = []
    for table, expected_rows in expected.items():
        names = ", ".join(f'"{name}"' for name in columns[table])
        text = difference(
            expected_rows, project.query(f"select {names} from {table}"), model.KEYS[table], columns[table]
        )
        if text:
            found.append(f"{table}: {text}")
    return found


ROOT = Path(__file__).resolve().parents[2]
PROMISED = yaml.safe_load((ROOT / "docs" / "tables.yml").read_text())
LOGS = {"core.affected_visitors", "core.identity_changes", "monitoring.dbt_run_results", "monitoring.data_freshness"}
OUTPUT_TABLES = [name for schema in PROMISED for table in PROMISED[schema] if (name := f"{schema}.{table}") not in LOGS]


def contents(connection: DuckDBConnection) -> Mapping[str, tuple[int, str]]:
    """Every output table as (rows, digest of its rows in any order)."""
    digests = {}
    for table in OUTPUT_TABLES:
        sql = f"select count(*) as n, coalesce(cast(bit_xor(md5_number(cast(t as varchar))) as varchar), '') as digest from {table} as t"
        (row,) = connection.query(sql).to_pylist()
        digests[table] = (row["n"], row["digest"])
    return digests


def sample_rows(path: Path) -> list[RawRow]:
    """The rows of a parquet file of tracks (id or event_id, ..., context_page_url or url)."""
    import pyarrow.parquet as pq

    return [
        RawRow(
            "tracks",
            row.get("id", row.get("event_id")),
            anonymous_id=row["anonymous_id"],
            user_id=row["user_id"],
            timestamp=row["timestamp"].replace(tzinfo=None),
            event=row["event"],
            url=row.get("context_page_url", row.get("url")),
        )
        for row in pq.read_table(path).to_pylist()
    ]
