"""How a client of BigQuery is made: with which credentials, and for which address."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dagster_gcp import BigQueryResource
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from google.oauth2 import service_account


class BigQueryClients(BigQueryResource):
    """Dagster's BigQuery resource, which also knows an emulator and a service account's file."""

    endpoint: str | None = None
    keyfile: str | None = None

    @contextmanager
    def get_client(self) -> Iterator[bigquery.Client]:
        """A client: of an endpoint without credentials, of a keyfile, else as Dagster's own."""
        if self.endpoint:
            options = ClientOptions(api_endpoint=self.endpoint)
            credentials: Any = AnonymousCredentials()  # type: ignore[no-untyped-call]
            client = bigquery.Client(
                project=self.project, location=self.location, credentials=credentials, client_options=options
            )
        elif self.keyfile:
            credentials = service_account.Credentials.from_service_account_file(self.keyfile)  # type: ignore[no-untyped-call]
            client = bigquery.Client(project=self.project, location=self.location, credentials=credentials)
        else:
            with super().get_client() as client:
                yield client
            return
        with client:
            yield client
