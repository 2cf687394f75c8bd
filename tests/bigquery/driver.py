"""ThinDriver's twin on an emulator: the same SQL, materialisations and identity code, through dbt-bigquery and Google's client.

Raw rows are written into tables as a vendor's loader leaves them: traits as columns, nested values as STRUCTs, divided by arrival.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from functools import cache
from typing import Any

import pytest
from google.cloud import bigquery

from sessionization_dagster.dbt.project import PROJECT_DIR, DbtProject
from sessionization_dagster.dbt.raw_tables import raw_tables
from sessionization_dagster.defs.resources import build_warehouse
from sessionization_dagster.landing import RawTable
from sessionization_dagster.settings.environment import Environment
from sessionization_dagster.warehouses.bigquery import BigQueryWarehouse, type_of
from tests.bigquery.emulator import LOCATION, PROJECT
from tests.integration.raw_fields import columns_of, raw_record
from tests.integration.thin_driver import FAMILIES, ThinDriver
from tests.oracle.model import RawRow, Settings

DATASET = "shop"
# The emulator translates a long statement for a minute where it has half a core.
TIMEOUT_SECONDS = 600
# Random histories hold rows that come months late; rows_came_too_late has tests of its own.
ANY_LATENESS = 4000


@cache
def parsed_project(
    endpoint: str, sources: tuple[str, ...], timezone: str, event_tables: str, families: tuple[str, ...]
) -> tuple[DbtProject, Environment]:
    """The dbt project for target bigquery, parsed once per test session for what parsing reads."""
    environment = Environment.from_env(
        {
            **environment_variables(endpoint, sources, timezone),
            "SESSIONIZATION_RAW_EVENT_TABLES": event_tables,
            "SESSIONIZATION_FAMILIES": ",".join(families),
        }
    )
    return DbtProject.of(environment, project_dir=PROJECT_DIR), environment


def environment_variables(endpoint: str, sources: Iterable[str], timezone: str = "UTC") -> dict[str, str]:
    """What a team sets, each source's raw tables in a dataset of its own."""
    return {
        "SESSIONIZATION_TARGET": "bigquery",
        "BIGQUERY_PROJECT": PROJECT,
        "BIGQUERY_DATASET": DATASET,
        "BIGQUERY_LOCATION": LOCATION,
        "BIGQUERY_API_ENDPOINT": endpoint,
        "BIGQUERY_TIMEOUT_SECONDS": str(TIMEOUT_SECONDS),
        "SESSIONIZATION_SOURCES": ",".join(sources),
        "SESSIONIZATION_TIMEZONE": timezone,
        "SESSIONIZATION_RAW_DATASETS": ",".join(f"{source}={raw_dataset(source)}" for source in sources),
    }


def raw_dataset(source: str) -> str:
    """Where the source's loader writes."""
    return f"vendor_{source}"


class BigQueryDriver(ThinDriver):
    """Empty datasets and the runs that are made on them. One at a time: their names are always the same, which spares parsing."""

    warehouse: BigQueryWarehouse  # type: ignore[assignment]

    def __init__(
        self,
        endpoint: str,
        settings: Settings,
        max_lateness_days: int = ANY_LATENESS,
        is_divided: bool = False,
        event_tables: str = "",
        families: tuple[str, ...] = FAMILIES,
    ) -> None:
        """Start from nothing; is_divided: the emulator knows by which column raw tables are divided, see divide.

        event_tables is SESSIONIZATION_RAW_EVENT_TABLES; the tables are the test's to make. families: all of them where empty.
        """
        self.is_divided = is_divided
        self.settings = settings
        self.max_lateness_days = max_lateness_days
        self.replayed_loads: tuple[date, ...] = ()
        self.raw_load_times: dict[str, str] = {}
        self.project, environment = parsed_project(
            endpoint, tuple(settings.sources), settings.timezone, event_tables, families
        )
        warehouse = build_warehouse(environment)
        assert isinstance(warehouse, BigQueryWarehouse)
        self.warehouse = warehouse
        self.tables = raw_tables(self.project.manifest, settings.sources)
        self._made_with = {}
        self.rebuild = "auto"
        with self.warehouse.connect() as connection:
            empty(connection.native)
            for source in settings.sources:
                connection.native.create_dataset(raw_dataset(source), timeout=TIMEOUT_SECONDS)

    @property
    def variables(self) -> dict[str, Any]:
        """The dbt vars for the settings as they are now."""
        return {
            **self.variables_of_settings(),
            "max_lateness_days": self.max_lateness_days,
            "replayed_loads": [str(day) for day in self.replayed_loads],
            "raw_load_times": self.raw_load_times,
        }

    def land(self, rows: Iterable[RawRow]) -> None:
        """Make the raw tables hold exactly these rows."""
        by_table: dict[tuple[str, str], list[RawRow]] = {(table.source, table.table): [] for table in self.tables}
        for row in rows:
            if row.source in self.settings.sources:
                by_table[row.source, row.table].append(row)
        for table in self.tables:
            create, *inserts = raw_table_statements(table, by_table[table.source, table.table])
            self.send(create)
            if self.is_divided and any(column.name == "received_at" for column in table.columns):
                self.divide(table, "received_at")
            for statement in inserts:
                self.send(statement)

    def divide(self, table: RawTable, column: str) -> None:
        """Make a raw table again, empty, by the API: of the statement the emulator does not note by which column it is divided."""
        with self.warehouse.connect() as connection:
            found = connection.native.get_table(
                f"{PROJECT}.{raw_dataset(table.source)}.{table.table}", timeout=TIMEOUT_SECONDS
            )
            wanted = bigquery.Table(found.reference, schema=found.schema)
            wanted.time_partitioning = bigquery.TimePartitioning(field=column)
            connection.native.delete_table(found, timeout=TIMEOUT_SECONDS)
            connection.native.create_table(wanted, timeout=TIMEOUT_SECONDS)

    def load_again(self, table: RawTable, columns: str, divided_by: str) -> tuple[str, str]:
        """Fill a raw table anew with columns of its own rows, divided by one of them; returns its name and that of an undivided copy."""
        name, loaded = (f"{PROJECT}.{raw_dataset(table.source)}.{part}" for part in (table.table, "loaded"))
        self.send(f"create table `{loaded}` as select {columns} from `{name}`")
        self.send(f"create or replace table `{name}` as select * from `{loaded}`")
        self.divide(table, divided_by)
        self.send(f"insert into `{name}` select * from `{loaded}`")
        return name, loaded

    def send(self, sql: str) -> list[dict[str, Any]]:
        """Run a statement in BigQuery's words; timestamps come back naive."""
        with self.warehouse.connect() as connection:
            return connection.query_as_written(sql).to_pylist()

    def columns(self) -> dict[str, dict[str, str]]:
        """project.dataset.table -> column -> type, of every table and view."""
        with self.warehouse.connect() as connection:
            client = connection.native
            return {
                f"{PROJECT}.{dataset.dataset_id}.{table.table_id}": {
                    field.name: type_of(field) for field in client.get_table(table.reference).schema
                }
                for dataset in client.list_datasets()
                for table in client.list_tables(dataset.reference)
            }

    def rows_of(self, columns: Mapping[str, Iterable[str]]) -> dict[str, list[dict[str, Any]]]:
        """All rows of these output tables."""
        found = {}
        for table, names in columns.items():
            schema, _, name = table.partition(".")
            listed = ", ".join(f"`{column}`" for column in names)
            found[table] = [
                _naive(row) for row in self.send(f"select {listed} from `{PROJECT}.{DATASET}_{schema}.{name}`")
            ]
        return found


def empty(client: bigquery.Client) -> None:
    """Delete every dataset."""
    for dataset in list(client.list_datasets(timeout=TIMEOUT_SECONDS)):
        client.delete_dataset(dataset.reference, delete_contents=True, timeout=TIMEOUT_SECONDS)


def raw_table_statements(table: RawTable, rows: list[RawRow]) -> list[str]:
    """Statements that make a vendor's table with these rows; a column for each trait."""
    records = [raw_record(row) for row in rows]
    names = list(
        dict.fromkeys([*columns_of(table.source, table.table), *(name for record in records for name in record)])
    )
    declared = {column.name: column.type for column in table.columns}
    types = {name: "timestamp" if declared.get(name) == "TIMESTAMP" else "string" for name in names}
    if table.source == "measure_js":
        types |= {"device": "struct<type string, os string>", "location": "struct<country string>"}
    place = f"`{PROJECT}.{raw_dataset(table.source)}.{table.table}`"
    columns = ", ".join(f"`{name}` {kind}" for name, kind in types.items())
    divided = " partition by timestamp_trunc(received_at, day)" if "received_at" in types else ""
    statements = [f"create or replace table {place} ({columns}){divided}"]
    for start in range(0, len(records), 500):
        values = ",\n".join(
            "(" + ", ".join(f"cast({_literal(record.get(name))} as {kind})" for name, kind in types.items()) + ")"
            for record in records[start : start + 500]
        )
        statements.append(f"insert into {place} ({', '.join(f'`{name}`' for name in types)}) values {values}")
    return statements


def _literal(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, datetime):
        return f"timestamp '{value}'"
    if isinstance(value, dict):
        return f"struct({', '.join(f'cast({_literal(part)} as string) as {name}' for name, part in value.items())})"
    # The emulator does not read \\u escapes, which BigQuery does.
    return json.dumps(str(value), ensure_ascii=False)


def _naive(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, dict):
        return {name: _naive(part) for name, part in value.items()}
    return [_naive(part) for part in value] if isinstance(value, list) else value


@contextmanager
def recorded() -> Iterator[list[str]]:
    """The statements that Google's client sends meanwhile, whoever uses it; tables that it makes by the API count as such statements."""
    sent: list[str] = []
    send, make = bigquery.Client.query, bigquery.Client.create_table

    def query(self: bigquery.Client, query: str, *arguments: Any, **options: Any) -> Any:
        sent.append(query)
        return send(self, query, *arguments, **options)

    def create_table(self: bigquery.Client, table: bigquery.Table, *arguments: Any, **options: Any) -> Any:
        columns = ", ".join(f"`{field.name}` {type_of(field)}" for field in table.schema)
        sent.append(f"create table `{table.project}.{table.dataset_id}.{table.table_id}` ({columns})")
        return make(self, table, *arguments, **options)

    bigquery.Client.query, bigquery.Client.create_table = query, create_table  # type: ignore[assignment, method-assign]
    try:
        yield sent
    finally:
        bigquery.Client.query, bigquery.Client.create_table = send, make  # type: ignore[method-assign]


@contextmanager
def labels_recorded() -> Iterator[list[tuple[str, dict[str, str]]]]:
    """What each job that is sent meanwhile runs, and its labels; an emulator forgets them."""
    sent: list[tuple[str, dict[str, str]]] = []
    query, load = bigquery.Client.query, bigquery.Client.load_table_from_file

    def spying_query(self: bigquery.Client, query_: str, job_config: Any = None, **options: Any) -> Any:
        sent.append((query_, dict(job_config.labels) if job_config else {}))
        return query(self, query_, job_config, **options)

    def spying_load(self: bigquery.Client, file: Any, table: Any, **options: Any) -> Any:
        sent.append((f"load {table}", dict(options["job_config"].labels)))
        return load(self, file, table, **options)

    with pytest.MonkeyPatch.context() as patch:
        # dbt names the first argument.
        patch.setattr(
            bigquery.Client,
            "query",
            lambda self, *a, **o: spying_query(self, *([o.pop("query")] if "query" in o else []), *a, **o),
        )
        patch.setattr(bigquery.Client, "load_table_from_file", spying_load)
        yield sent
