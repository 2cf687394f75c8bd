"""BigQuery as the warehouse: jobs with a location, limits and labels, results as Arrow, and scratch tables for one connection."""

from __future__ import annotations

import importlib.util
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Self

import pyarrow as pa
from google.api_core.exceptions import NotFound
from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_RETRY

from sessionization_dagster.errors import WarehouseError
from sessionization_dagster.warehouses import csv_rows
from sessionization_dagster.warehouses.base import TableDescription, TableLayout
from sessionization_dagster.warehouses.bigquery_clients import BigQueryClients
from sessionization_dagster.warehouses.bigquery_errors import with_remedies
from sessionization_dagster.warehouses.dialect import Places, as_script, create_table, to_bigquery

SCRATCH_SCHEMA = "internal"
# A connection drops its scratch tables; those of a killed process expire after this time.
SCRATCH_LIFETIME = timedelta(days=1)
# For one HTTP request with its retries. Statements have their own limit.
REQUEST_SECONDS = 60.0
RETRY = DEFAULT_RETRY.with_timeout(REQUEST_SECONDS)


@dataclass(frozen=True)
class BigQueryWarehouse:
    """Datasets of a project, in one location.

    Attributes:
        places: project and datasets.
        location: the location of all datasets and jobs.
        endpoint: address of an emulator; None: Google's.
        keyfile: key file of a service account; None: the default credentials.
        maximum_bytes_billed: limit of one statement; None: the project's own limit.
        timeout_seconds: limit of one statement.
        labels: labels of every job.
    """

    bills_reads: ClassVar[bool] = True

    places: Places
    location: str
    endpoint: str | None = None
    keyfile: str | None = None
    maximum_bytes_billed: int | None = None
    timeout_seconds: int = 3600
    labels: Mapping[str, str] = field(default_factory=dict)

    @contextmanager
    def connect(self) -> Iterator[BigQueryConnection]:
        """Open a connection.

        Raises:
            WarehouseError: there are no credentials, or the project cannot be used.
        """
        clients = BigQueryClients(
            project=self.places.project, location=self.location, endpoint=self.endpoint, keyfile=self.keyfile
        )
        with ExitStack() as stack:
            with with_remedies(self.places.project):
                client = stack.enter_context(clients.get_client())
            connection = BigQueryConnection(self, client)
            try:
                yield connection
            finally:
                connection.drop_scratch_tables()

    def read(self) -> AbstractContextManager[BigQueryConnection]:
        """Open a connection for reading. Nothing here prevents writes; the account's permissions decide."""
        return self.connect()

    def labelled(self, **labels: str) -> Self:
        """The same warehouse, whose jobs also have these labels."""
        return replace(self, labels={**self.labels, **labels})

    @property
    def job_labels(self) -> dict[str, str]:
        """The labels as BigQuery allows them."""
        return {as_label(name): as_label(value) for name, value in self.labels.items()}

    def local_date(self, at: str, timezone: str) -> str:
        """SQL for the date of a UTC timestamp in a timezone."""
        return f"date({at}, '{timezone}')"


def as_label(text: str) -> str:
    """The text as BigQuery allows it in a label."""
    return re.sub(r"[^a-z0-9_-]", "_", text.lower())[:63]


class BigQueryConnection:
    """A client of one project. As the protocol says, SQL is DuckDB's, and timestamps are returned in UTC without a timezone."""

    def __init__(self, warehouse: BigQueryWarehouse, client: bigquery.Client) -> None:
        """Wrap a client."""
        self.native = client
        self._warehouse = warehouse
        self._places = warehouse.places
        self._unique = uuid.uuid4().hex[:12]
        self._scratch: list[str] = []
        self._kept: dict[str, str] = {}
        self._datasets: set[str] = set()

    def query(self, sql: str) -> pa.Table:
        """Run a query and return its rows."""
        return self.query_as_written(to_bigquery(sql, self._places, self._kept))

    def query_as_written(self, sql: str) -> pa.Table:
        """Run a query in BigQuery's own dialect and return its rows."""
        with self._remedies():
            rows = self._run(sql)
            # The Storage API streams Arrow. Without it rows come as pages of JSON; an emulator has only those.
            has_storage = importlib.util.find_spec("google.cloud.bigquery_storage") is not None
            found = rows.to_arrow(create_bqstorage_client=has_storage and self._warehouse.endpoint is None)
        return _without_timezones(found)

    def execute(self, sql: str) -> None:
        """Run a statement."""
        with self._remedies():
            self._run(to_bigquery(sql, self._places, self._kept))

    def in_transaction(self, statements: Sequence[str]) -> None:
        """Run statements that take effect together, or not at all if one fails: one script, one transaction."""
        with self._remedies():
            self._run(as_script([to_bigquery(sql, self._places, self._kept) for sql in statements]))

    def create_temp(self, name: str, sql: str) -> None:
        """Keep a query's rows as a table of that name, until the connection closes."""
        with self._remedies():
            table = self._new_scratch_table(name)
            hours = SCRATCH_LIFETIME // timedelta(hours=1)
            self._run(
                f"CREATE TABLE `{table}` OPTIONS(expiration_timestamp = "
                f"TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL {hours} HOUR)) "
                f"AS {to_bigquery(sql, self._places, self._kept)}"
            )
            self._kept[name] = f"`{table}`"

    def register(self, name: str, rows: pa.Table) -> None:
        """Make rows readable as a table of that name, until the connection closes. A load job loads them."""
        with self._remedies():
            table = bigquery.Table(self._new_scratch_table(name), schema=csv_rows.schema(rows))
            table.expires = datetime.now(UTC) + SCRATCH_LIFETIME
            self.native.create_table(table, retry=RETRY, timeout=REQUEST_SECONDS)
            if rows.num_rows:
                config = csv_rows.load_config(rows)
                config.labels = self._warehouse.job_labels
                job = self.native.load_table_from_file(
                    csv_rows.as_csv(rows), table.reference, rewind=True, job_config=config, timeout=REQUEST_SECONDS
                )
                job.result(retry=RETRY, timeout=self._warehouse.timeout_seconds)
            self._kept[name] = csv_rows.as_query(rows, f"{table.project}.{table.dataset_id}.{table.table_id}")

    def has_table(self, schema: str, name: str) -> bool:
        """Whether there is a table of that name."""
        return self._find(schema, name) is not None

    def describe(self, tables: Sequence[tuple[str, str]]) -> dict[tuple[str, str], TableDescription]:
        """(schema, table) -> columns and, except for views, number of rows. Read from the tables' metadata, which costs nothing."""
        found = {}
        for schema, name in dict.fromkeys(tables):
            table = self._find(schema, name)
            if table is not None:
                columns = [(field.name, type_of(field)) for field in table.schema]
                found[schema, name] = TableDescription(columns, None if table.table_type == "VIEW" else table.num_rows)
        return found

    def create_missing(self, table: TableLayout) -> None:
        """Create a table and its dataset if they are missing."""
        if self.has_table(table.schema, table.name):
            return
        with self._remedies():
            self.ensure_dataset(table.schema)
            self._run(create_table(table, self._places))

    def drop_scratch_tables(self) -> None:
        """Drop the tables of create_temp and register. A table that cannot be dropped expires."""
        while self._scratch:
            try:
                self.native.delete_table(self._scratch.pop(), retry=RETRY, timeout=REQUEST_SECONDS, not_found_ok=True)
            except Exception:
                # The connection may be closing because of another error, which says more.
                continue
        self._kept.clear()

    def _find(self, schema: str, name: str) -> bigquery.Table | None:
        """The table's metadata, which costs nothing; None if the table or its dataset is missing."""
        project, dataset, name_there = self._places.path_of(schema, name)
        with self._remedies():
            try:
                return self.native.get_table(f"{project}.{dataset}.{name_there}", retry=RETRY, timeout=REQUEST_SECONDS)
            except NotFound as error:
                if re.search(r"not found: (table|dataset)", str(error), re.IGNORECASE):
                    return None
                raise

    def _remedies(self) -> AbstractContextManager[None]:
        return with_remedies(self._places.project)

    def _run(self, sql: str) -> bigquery.table.RowIterator:
        warehouse = self._warehouse
        config = bigquery.QueryJobConfig(labels=warehouse.job_labels, job_timeout_ms=warehouse.timeout_seconds * 1000)
        if warehouse.maximum_bytes_billed is not None:
            # The client would send None as text.
            config.maximum_bytes_billed = warehouse.maximum_bytes_billed
        # No retry of the job here: whoever runs the step retries it as a whole.
        job = self.native.query(sql, config, retry=RETRY, job_retry=None, timeout=REQUEST_SECONDS)
        return job.result(retry=RETRY, job_retry=None, timeout=warehouse.timeout_seconds)

    def _new_scratch_table(self, name: str) -> str:
        """A full name that neither another connection nor an earlier call has used."""
        self.ensure_dataset(SCRATCH_SCHEMA)
        dataset = self._places.dataset_of(SCRATCH_SCHEMA)
        table = f"{self._places.project}.{dataset}.scratch_{self._unique}_{len(self._scratch)}__{name}"
        self._scratch.append(table)
        return table

    def ensure_dataset(self, schema: str) -> None:
        """Create the schema's dataset if it is missing.

        Raises:
            WarehouseError: it is in another location.
        """
        name = self._places.dataset_of(schema)
        if name in self._datasets:
            return
        wanted = bigquery.Dataset(f"{self._places.project}.{name}")
        wanted.location = self._warehouse.location
        try:
            found = self.native.get_dataset(wanted.reference, retry=RETRY, timeout=REQUEST_SECONDS)
        except NotFound:
            found = self.native.create_dataset(wanted, exists_ok=True, retry=RETRY, timeout=REQUEST_SECONDS)
        if found.location.upper() != self._warehouse.location.upper():
            raise WarehouseError(
                f"Dataset {name} is in {found.location}, and BIGQUERY_LOCATION is {self._warehouse.location}. Set it to "
                f"{found.location}, or take another BIGQUERY_DATASET: a dataset cannot be moved."
            )
        self._datasets.add(name)


def type_of(field: bigquery.SchemaField) -> str:
    """A column's type as SQL writes it."""
    nested = ", ".join(f"{part.name} {type_of(part)}" for part in field.fields)
    kind = f"STRUCT<{nested}>" if field.fields else str(field.field_type)
    return f"ARRAY<{kind}>" if field.mode == "REPEATED" else kind


def _without_timezones(rows: pa.Table) -> pa.Table:
    for place, column in enumerate(rows.schema):
        if pa.types.is_timestamp(column.type) and column.type.tz is not None:
            naive = rows.column(place).cast(pa.timestamp("us"))
            rows = rows.set_column(place, column.name, naive)
    return rows
