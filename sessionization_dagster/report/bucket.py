"""A folder of a bucket of Google Cloud Storage as the place of reports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote

from google.api_core.exceptions import Forbidden, NotFound
from google.cloud import storage

from sessionization_dagster.errors import WarehouseError
from sessionization_dagster.landing.gcs.clients import GCSClients
from sessionization_dagster.landing.gcs.objects import Bucket
from sessionization_dagster.warehouses.bigquery import REQUEST_SECONDS
from sessionization_dagster.warehouses.bigquery_errors import with_remedies

# A write may be sent again: it has the same content under the same name.
RETRY = storage.retry.DEFAULT_RETRY.with_timeout(REQUEST_SECONDS)
NO_BUCKET = "No such bucket: SESSIONIZATION_REPORT must name one that exists, like gs://my-bucket/reports."
NO_RIGHT = "Grant roles/storage.objectUser on the bucket that SESSIONIZATION_REPORT names, to the account in use."


@dataclass(frozen=True)
class ReportBucket:
    """The objects below a prefix of a bucket. Sends no request before it is used.

    Attributes:
        clients: makes the client.
        place: bucket and prefix.
    """

    clients: GCSClients
    place: Bucket

    def address(self, name: str) -> str:
        """The object's gs:// address."""
        return f"{self.place}{name}"

    def url(self, name: str) -> str:
        """Google's page of the object, for people who may read the bucket."""
        return f"https://storage.cloud.google.com/{quote(f'{self.place.name}/{self.place.prefix}{name}')}"

    def has(self, name: str) -> bool:
        """Whether the object exists."""
        with self._explained():
            return bool(self._blob(name).exists(timeout=REQUEST_SECONDS, retry=RETRY))

    def write(self, name: str, html: str) -> None:
        """Write the object. Readers see the previous one until the new one is complete."""
        with self._explained():
            blob = self._blob(name)
            # latest.html is written again and again, and Google serves public objects from caches for an hour.
            blob.cache_control = "no-cache"
            blob.upload_from_string(
                html.encode(), content_type="text/html; charset=utf-8", timeout=REQUEST_SECONDS, retry=RETRY
            )

    def newest_first(self, beginning: str) -> list[str]:
        """The names below the prefix, by the time of writing."""
        with self._explained():
            blobs = self._bucket.list_blobs(
                prefix=f"{self.place.prefix}{beginning}", timeout=REQUEST_SECONDS, retry=RETRY
            )
            found = sorted(blobs, key=lambda blob: blob.updated, reverse=True)
        return [blob.name.removeprefix(self.place.prefix) for blob in found]

    def remove(self, name: str) -> None:
        """Delete the object, if it is there."""
        with self._explained(), suppress(NotFound):
            self._blob(name).delete(timeout=REQUEST_SECONDS, retry=RETRY)

    @cached_property
    def _bucket(self) -> storage.Bucket:
        return self.clients.get_client().bucket(self.place.name)

    def _blob(self, name: str) -> storage.Blob:
        return self._bucket.blob(f"{self.place.prefix}{name}")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        with with_remedies(str(self.clients.project)):
            try:
                yield
            except (NotFound, Forbidden) as error:
                remedy = NO_BUCKET if isinstance(error, NotFound) else NO_RIGHT
                raise WarehouseError(f"The bucket of reports, {self.place}: {error}\n  Remedy: {remedy}") from error
