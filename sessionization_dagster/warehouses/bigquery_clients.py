"""Makes clients of BigQuery: chooses the credentials and the address."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dagster_gcp import BigQueryResource
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials, Credentials
from google.cloud import bigquery
from google.oauth2 import service_account


def credentials_of(keyfile: str | None, is_anonymous: bool) -> Credentials | None:
    """Anonymous credentials for a server without credentials, or those of a keyfile; None: the default credentials."""
    if is_anonymous:
        return AnonymousCredentials()  # type: ignore[no-untyped-call]
    if keyfile:
        found: Credentials = service_account.Credentials.from_service_account_file(keyfile)  # type: ignore[no-untyped-call]
        return found
    return None


class BigQueryClients(BigQueryResource):
    """Dagster's BigQuery resource, which also supports an emulator and a service account's key file."""

    endpoint: str | None = None
    keyfile: str | None = None

    @contextmanager
    def get_client(self) -> Iterator[bigquery.Client]:
        """A client for an endpoint without credentials, or with a keyfile; otherwise like Dagster's own."""
        credentials = credentials_of(self.keyfile, self.endpoint is not None)
        if credentials is None:
            with super().get_client() as client:
                yield client
            return
        options = ClientOptions(api_endpoint=self.endpoint) if self.endpoint else None
        with bigquery.Client(
            project=self.project, location=self.location, credentials=credentials, client_options=options
        ) as client:
            yield client
