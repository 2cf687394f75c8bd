"""The clients of bucket and warehouse: lists, first bytes, load jobs and statements. Decides nothing about files."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any

from dagster_gcp import GCSResource
from google.api_core.exceptions import BadRequest, Conflict, GoogleAPICallError, NotFound
from google.cloud import bigquery, storage

from sessionization_dagster.landing.file_errors import UnreadableFile
from sessionization_dagster.landing.gcs.objects import Bucket, StoredObject
from sessionization_dagster.landing.text import GZIP
from sessionization_dagster.settings.bigquery_settings import BigQuerySettings
from sessionization_dagster.warehouses.base import TableLayout
from sessionization_dagster.warehouses.bigquery import (
    REQUEST_SECONDS,
    RETRY,
    SCRATCH_LIFETIME,
    SCRATCH_SCHEMA,
    BigQueryConnection,
    BigQueryWarehouse,
    type_of,
)
from sessionization_dagster.warehouses.bigquery_clients import credentials_of
from sessionization_dagster.warehouses.bigquery_errors import with_remedies
from sessionization_dagster.warehouses.dialect import RAW_SCHEMA

#: How much of a file is read to see its header.
HEADER_BYTES = 2**20
# With these reasons the job says that the file is at fault. All other reasons lie outside the file.
_FILE_IS_BAD = ("invalid",)


class GCSClients(GCSResource):
    """Dagster's resource of Google Cloud Storage, which also supports a service account's key file and a server without accounts.

    The client itself reads STORAGE_EMULATOR_HOST.
    """

    keyfile: str | None = None
    anonymous: bool = False

    @classmethod
    def of(cls, settings: BigQuerySettings) -> GCSClients:
        """Clients with the credentials of the settings. With an emulator of BigQuery, the server of buckets needs no credentials either."""
        return cls(
            project=settings.project,
            keyfile=None if settings.keyfile is None else str(settings.keyfile),
            anonymous=settings.endpoint is not None,
        )

    def get_client(self) -> storage.Client:
        """A client: without credentials, or with a keyfile; otherwise like Dagster's own."""
        credentials = credentials_of(self.keyfile, self.anonymous)
        if credentials is None:
            return super().get_client()
        return storage.Client(project=self.project, credentials=credentials)


class Objects:
    """The objects of one bucket."""

    def __init__(self, client: storage.Client, bucket: Bucket) -> None:
        """Sends no request yet."""
        self._client = client
        self._place = bucket
        self._bucket = client.bucket(bucket.name)

    def all(self) -> list[StoredObject]:
        """All objects below the prefix."""
        found = self._client.list_blobs(
            self._bucket, prefix=self._place.prefix or None, timeout=REQUEST_SECONDS,
            fields="items(name,generation,size),nextPageToken",
        )  # fmt: skip
        return [StoredObject(blob.name, int(blob.generation), int(blob.size)) for blob in found]

    def is_still(self, stored: StoredObject) -> bool:
        """Whether the name still has this generation."""
        blob = self._bucket.get_blob(stored.name, timeout=REQUEST_SECONDS)
        return blob is not None and int(blob.generation) == stored.generation

    def beginning(self, stored: StoredObject) -> tuple[bytes, bool] | None:
        """The first bytes, unzipped, and whether they were zipped; None if this generation no longer exists. Raises UnreadableFile."""
        blob = self._bucket.blob(stored.name, generation=stored.generation)
        try:
            data: bytes = blob.download_as_bytes(
                start=0, end=HEADER_BYTES - 1, raw_download=True, timeout=REQUEST_SECONDS
            )
        except NotFound:
            return None
        if not data.startswith(GZIP):
            return data, False
        try:
            return zlib.decompressobj(wbits=31).decompress(data, HEADER_BYTES), True
        except zlib.error as error:
            raise UnreadableFile(f"is not a whole gzip file ({error}); write it again") from error


@dataclass(frozen=True)
class Scratch:
    """A table that holds the records of one file: its full name, and its columns with their types."""

    name: str
    types: Mapping[str, str]


class Loads:
    """Load jobs and statements."""

    def __init__(self, warehouse: BigQueryWarehouse, connection: BigQueryConnection) -> None:
        """Use a connection of the warehouse."""
        self._warehouse = warehouse
        self._connection = connection
        self._client = connection.native

    @property
    def forgets_json(self) -> bool:
        """Whether JSON columns are reported as STRING, as an emulator does."""
        return self._warehouse.endpoint is not None

    def create_missing(self, layouts: Sequence[TableLayout]) -> None:
        """Creates tables and datasets that are missing."""
        for layout in layouts:
            self._connection.create_missing(layout)

    def columns(self, name: str) -> dict[str, str] | None:
        """Column -> type of a raw table; None if there is no table."""
        found = self._connection.describe([(RAW_SCHEMA, name)]).get((RAW_SCHEMA, name))
        return None if found is None else {column: _standard(kind) for column, kind in found.columns}

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Runs a statement, query or script in BigQuery's own dialect, and returns its rows."""
        found: list[dict[str, Any]] = self._connection.query_as_written(sql).to_pylist()
        return found

    def load(self, uri: str, key: str, config: bigquery.LoadJobConfig) -> Scratch:
        """Loads a file into its scratch table, or takes over what an earlier run that was killed has loaded there.

        Raises:
            UnreadableFile: the file cannot be loaded.
            WarehouseError: the load failed for another reason.
        """
        places = self._warehouse.places
        name = f"{places.project}.{places.dataset_of(SCRATCH_SCHEMA)}.scratch_landing_{key}"
        config.write_disposition = bigquery.WriteDisposition.WRITE_TRUNCATE
        config.labels = self._warehouse.job_labels
        with with_remedies(places.project):
            self._connection.ensure_dataset(SCRATCH_SCHEMA)
            for attempt in count():
                if self._attempt(uri, name, f"landing_{places.dataset}_{key}_{attempt}", config):
                    break
            table = self._client.get_table(name, retry=RETRY, timeout=REQUEST_SECONDS)
            table.expires = datetime.now(UTC) + SCRATCH_LIFETIME
            table = self._client.update_table(table, ["expires"], retry=RETRY, timeout=REQUEST_SECONDS)
        return Scratch(name, {field.name: _standard(type_of(field)) for field in table.schema})

    def _attempt(self, uri: str, name: str, job_id: str, config: bigquery.LoadJobConfig) -> bool:
        """Loads under this job id, which can be used only once. False if it was used before without a result."""
        taken = False
        try:
            try:
                job: Any = self._client.load_table_from_uri(
                    uri, name, job_id=job_id, job_config=config, retry=RETRY, timeout=REQUEST_SECONDS
                )
            except Conflict:
                taken = True
                job = self._client.get_job(
                    job_id, location=self._warehouse.location, retry=RETRY, timeout=REQUEST_SECONDS
                )
            job.result(retry=RETRY, timeout=self._warehouse.timeout_seconds)
        except GoogleAPICallError as error:
            if taken:
                return False  # whatever ended that job, the next one may succeed
            reasons = [found.get("reason") for found in error.errors]
            if not isinstance(error, BadRequest) or not reasons or reasons[0] not in _FILE_IS_BAD:
                raise
            raise UnreadableFile(f"cannot be loaded: {' '.join(error.message.split())[:2000]}") from error
        return not taken or self._exists(name)

    def drop(self, scratch: Scratch) -> None:
        """Drops a scratch table. A table that cannot be dropped expires."""
        with suppress(Exception):
            self._client.delete_table(scratch.name, retry=RETRY, timeout=REQUEST_SECONDS, not_found_ok=True)

    def _exists(self, name: str) -> bool:
        try:
            self._client.get_table(name, retry=RETRY, timeout=REQUEST_SECONDS)
        except NotFound:
            return False
        return True


def _standard(kind: str) -> str:
    """A type as SQL names it, without the types inside."""
    names = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL", "RECORD": "STRUCT"}
    outer = kind.partition("<")[0]
    return names.get(outer, outer)
