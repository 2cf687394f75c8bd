"""Runs the project's own SQL, materialisations and identity code without Dagster and without files: seconds, not minutes, a history.

dbt runs in this process on the parsed manifest. Raw rows are written into the raw tables directly; landing has tests of its own.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import copy
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Self

import pyarrow as pa

from sessionization_dagster.dbt.project import DbtProject
from sessionization_dagster.dbt.raw_tables import raw_tables
from sessionization_dagster.identity.policies import IdentitySettings, Policy
from sessionization_dagster.identity.store import update_identity_graph
from sessionization_dagster.landing import RawTable
from sessionization_dagster.settings.environment import Environment
from sessionization_dagster.user_agents import update_user_agents
from sessionization_dagster.warehouses.duckdb import DuckDBConnection, DuckDBWarehouse
from sessionization_dagster.window import Window
from tests.integration.raw_fields import raw_fields
from tests.oracle import model
from tests.oracle.model import RawRow, Settings

#: Every family but analytics, which is half of a run and has tests of its own.
FAMILIES = ("rudderstack", "mixpanel", "segment", "measure_js")


@cache
def parsed_project(
    sources: tuple[str, ...] = ("rudderstack",), timezone: str = "UTC", families: tuple[str, ...] = ()
) -> DbtProject:
    """The dbt project, parsed once per test session for what parsing reads; other settings and the file are vars of each command.

    families: all of them by default.
    """
    names = {
        "SESSIONIZATION_SOURCES": ",".join(sources),
        "SESSIONIZATION_TIMEZONE": timezone,
        "SESSIONIZATION_FAMILIES": ",".join(families),
    }
    return DbtProject.of(Environment.from_env(names))


MODELS = ("--resource-type", "model", "--resource-type", "seed")


class ThinDriver:
    """A warehouse of its own and the runs that are made on it."""

    def __init__(
        self, folder: Path, settings: Settings, project: DbtProject | None = None, days: tuple[date, date] | None = None
    ) -> None:
        """Start from nothing in the folder, with the models of FAMILIES unless others are given. days: the first and last partition."""
        # dbt names the database after the file's stem: the manifest is good for this name.
        self.warehouse = DuckDBWarehouse(folder / "sessionization.duckdb")
        self.settings = settings
        self.days = days
        self.rebuild = "auto"
        self.project = project or parsed_project(settings.sources, settings.timezone, FAMILIES)
        self.tables = raw_tables(self.project.manifest, settings.sources)
        self._made_with: dict[str, dict[str, Any]] = {}
        with self.warehouse.connect() as connection:
            for statement in _create_raw(self.tables):
                connection.execute(statement)

    def with_project(self, project: DbtProject) -> Self:
        """The same warehouse with other models."""
        other = copy(self)
        other.project, other._made_with = project, {}
        # Parsed before its first command: that would leave a folder without a manifest.
        other.tables = raw_tables(project.manifest, self.settings.sources)
        return other

    def makes(self, table: str) -> bool:
        """Whether its project makes schema.table: those of families that were not chosen it does not."""
        return table in self.project.manifest.table_names

    @property
    def variables(self) -> dict[str, Any]:
        """The dbt vars for the settings as they are now."""
        first, last = (day.isoformat() for day in self.days) if self.days else (None, None)
        return {
            "duckdb_path": str(self.warehouse.path),
            "first_partition": first,
            "last_partition": last,
            "rebuild": self.rebuild,
            **self.variables_of_settings(),
        }

    def variables_of_settings(self) -> dict[str, Any]:
        """Those that hold on any warehouse."""
        settings = self.settings
        return {
            "timezone": settings.timezone,
            "session_timeout_seconds": settings.session_timeout_seconds,
            "session_event_types": list(settings.session_event_types),
            "identity_policy": settings.identity_policy,
            "max_users_per_alias": settings.max_users_per_alias,
            "blocked_ids": list(settings.blocked_ids),
            "flow_length": settings.flow_length,
            "counted_events": dict(settings.counted_events),
            "segment_user_traits": list(settings.segment_user_traits),
            "segment_page_fields": list(settings.segment_page_fields),
            "segment_track_fields": list(settings.segment_track_fields),
            "own_domains": list(settings.own_domains),
            "engaged_session_seconds": settings.engaged_session_seconds,
            "engaged_gap_seconds": settings.engaged_gap_seconds,
            "attribution_lookback_days": settings.attribution_lookback_days,
            "returning_days": settings.returning_days,
        }

    def land(self, rows: Iterable[RawRow]) -> None:
        """Make the raw tables hold exactly these rows."""
        by_table: dict[tuple[str, str], list[RawRow]] = {(table.source, table.table): [] for table in self.tables}
        for row in rows:
            if row.source in self.settings.sources:
                by_table[row.source, row.table].append(row)
        with self.warehouse.connect() as connection, connection.transaction():
            for table in self.tables:
                _replace_rows(connection, table, by_table[table.source, table.table])

    def run(self, first: date, last: date) -> None:
        """One run of everything for the days first..last."""
        self.run_events(first, last)
        self.run_identity(first, last)
        self.run_sessions(first, last)

    def run_events(self, first: date, last: date, *flags: str, left_out: Sequence[str] = ()) -> None:
        """The models before the identity graph."""
        excluded = _excluding([*self._made("events"), *left_out])
        self._dbt(["build", *MODELS, "--select", "tag:events", *excluded, *flags], first, last)
        self._made_with["events"] = self.variables_of_settings()

    def run_identity(self, first: date, last: date) -> None:
        """The identity graph and the user agents."""
        identity = IdentitySettings(Policy(self.settings.identity_policy), self.settings.max_users_per_alias)
        window = Window(first, last + timedelta(days=1))
        update_identity_graph(self.warehouse, window, identity, datetime(2024, 1, 1))
        update_user_agents(self.warehouse, window)

    def run_sessions(self, first: date, last: date, select: str | None = None, left_out: Sequence[str] = ()) -> None:
        """The models after the identity graph, or only those selected."""
        everything = ["--select", "tag:sessions", *_excluding([*self._made("sessions"), *left_out])]
        self._dbt(["build", *MODELS, *(["--select", select] if select else everything)], first, last)
        if not select and "resource_type:seed" not in left_out:
            self._made_with["sessions"] = self.variables_of_settings()

    def _made(self, side: str) -> list[str]:
        """A selector of views and seeds, where they were made with the settings as they are: they cannot be others now."""
        is_made = self._made_with.get(side) == self.variables_of_settings()
        return ["config.materialized:view", "resource_type:seed"] if is_made else []

    def run_tests(self, first: date, last: date, select: str = "*") -> dict[str, str]:
        """Data tests on the window: name -> status."""
        window = Window(first, last + timedelta(days=1)).as_dbt_vars()
        command = ["test", "--select", select, "--exclude-resource-type", "unit_test"]
        results = self.project.runner.invoke(command, {**self.variables, **window}).result.results
        return {result.node.name: result.status.value for result in results if result.node.resource_type == "test"}

    def unit_tests(self) -> list[Any]:
        """Dbt's results of the models' unit tests."""
        variables = {**self.variables, "partition_start": "2024-01-04", "partition_end": "2024-01-05"}
        command = ["test", "--resource-type", "unit_test", "--exclude-resource-type", "model"]
        results = self.project.runner.invoke(command, variables).result
        return [result for result in results if result.node.resource_type == "unit_test"]

    def rows(self, table: str, columns: Iterable[str]) -> list[dict[str, Any]]:
        """All rows of an output table."""
        return self.rows_of({table: columns})[table]

    def rows_of(self, columns: Mapping[str, Iterable[str]]) -> dict[str, list[dict[str, Any]]]:
        """All rows of these output tables."""
        return read_tables(self.warehouse, columns)

    def differences(
        self, rows: Iterable[RawRow], first: date, last: date, schemas: Collection[str] | None = None
    ) -> list[str]:
        """The tables that do not hold what the oracle makes of the raw rows, and what differs in each.

        schemas: by default those of which the driver's project makes a table.
        """
        wanted = schemas or {table.split(".")[0] for table in self.project.manifest.table_names}
        return model.differences(
            list(rows), self.settings, first, last, lambda table: table.split(".")[0] in wanted, self.rows_of
        )

    def _dbt(self, arguments: list[str], first: date, last: date) -> None:
        window = Window(first, last + timedelta(days=1))
        self.project.runner.invoke(arguments, {**self.variables, **window.as_dbt_vars()})


def read_tables(warehouse: DuckDBWarehouse, columns: Mapping[str, Iterable[str]]) -> dict[str, list[dict[str, Any]]]:
    """All rows of these tables. The file is opened once: opening it takes longer than reading a table."""
    found = {}
    with warehouse.connect() as connection:
        for table, names in columns.items():
            listed = ", ".join(f'"{name}"' for name in names)
            found[table] = connection.query(f"select {listed} from {table}").to_pylist()
    return found


def _excluding(selectors: Sequence[str]) -> list[str]:
    return ["--exclude", *selectors] if selectors else []


def _create_raw(tables: Iterable[RawTable]) -> list[str]:
    statements = [
        "create schema if not exists raw",
        """create table raw.landing_rejects (source varchar, table_name varchar, source_file varchar, source_line bigint,
            error varchar, content varchar, landed_at timestamp)""",
    ]
    for table in tables:
        columns = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
        statements.append(
            f"create table raw.{table.name} ({columns}, properties json, source_file varchar, source_row bigint)"
        )
    return statements


def _replace_rows(connection: DuckDBConnection, table: RawTable, rows: list[RawRow]) -> None:
    connection.execute(f"delete from raw.{table.name}")
    if not rows:
        return
    fields = raw_fields(rows, table)
    declared = {column.name: column.type for column in table.columns}
    types = {"VARCHAR": pa.string(), "TIMESTAMP": pa.timestamp("us"), "JSON": pa.string(), "BIGINT": pa.int64()}
    present = {
        name: pa.array(values, type=types[declared[name]]) for name, values in fields.items() if name in declared
    }
    present["properties"] = pa.array([json.dumps(dict(row.traits)) for row in rows], type=pa.string())
    connection.register("incoming", pa.table(present))
    connection.execute(f"insert into raw.{table.name} by name select * from incoming")
