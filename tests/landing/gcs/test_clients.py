"""Load jobs that fail, or were given before: what becomes of the file."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import bigquery

from sessionization_dagster.errors import WarehouseError
from sessionization_dagster.landing.file_errors import UnreadableFile
from sessionization_dagster.landing.gcs.clients import Loads
from sessionization_dagster.warehouses.bigquery import BigQueryWarehouse
from sessionization_dagster.warehouses.dialect import Places


class Client:
    """Answers load jobs, one after the other, with an error or None; those of taken ids exist already."""

    def __init__(self, *answers: Exception | None, taken: int = 0, has_table: bool = True) -> None:
        self.answers = list(answers)
        self.taken = taken
        self.has_table = has_table
        self.ids: list[str] = []

    def load_table_from_uri(self, uri: str, name: str, *, job_id: str, **_: Any) -> Any:
        self.ids.append(job_id)
        if len(self.ids) <= self.taken:
            raise exceptions.Conflict("Already Exists: Job")
        return self.get_job(job_id)

    def get_job(self, job_id: str, **_: Any) -> Any:
        return SimpleNamespace(result=self.result)

    def result(self, **_: Any) -> None:
        answer = self.answers.pop(0)
        if answer is None:
            self.has_table = True
        else:
            raise answer

    def get_table(self, name: str, **_: Any) -> bigquery.Table:
        if not self.has_table:
            raise exceptions.NotFound("Not found: Table")
        return bigquery.Table(
            name, [bigquery.SchemaField("n", "INTEGER"), bigquery.SchemaField("a", "STRING", "REPEATED")]
        )

    def update_table(self, table: bigquery.Table, fields: list[str], **_: Any) -> bigquery.Table:
        assert fields == ["expires"]
        assert table.expires is not None
        return table


def load(client: Client) -> Any:
    connection: Any = SimpleNamespace(native=client, ensure_dataset=lambda schema: None)
    loads = Loads(BigQueryWarehouse(Places("demo", "shop"), "EU"), connection)
    return loads.load("gs://b/a.csv", "key", bigquery.LoadJobConfig())


def failed(kind: type[exceptions.GoogleAPICallError], reason: str) -> Exception:
    return kind("Error while reading data", errors=[{"reason": reason, "message": "Error while reading data"}])


def test_a_load_is_one_job() -> None:
    client = Client(None)
    scratch = load(client)
    assert client.ids == ["landing_shop_key_0"]
    assert scratch.name == "demo.shop_internal.scratch_landing_key"
    assert scratch.types == {"n": "INT64", "a": "ARRAY"}


def test_a_job_that_a_killed_run_began_is_waited_for() -> None:
    client = Client(None, taken=1)
    load(client)
    assert client.ids == ["landing_shop_key_0"]


def test_a_job_of_old_whose_table_is_gone_or_that_failed_gives_way_to_the_next() -> None:
    client = Client(None, None, taken=1, has_table=False)
    client.result = lambda **_: setattr(client, "has_table", len(client.ids) > 1)  # type: ignore[method-assign]
    load(client)
    assert client.ids == ["landing_shop_key_0", "landing_shop_key_1"]
    for error in (failed(exceptions.BadRequest, "invalid"), failed(exceptions.ServiceUnavailable, "backendError")):
        client = Client(error, None, taken=1)
        load(client)
        assert client.ids == ["landing_shop_key_0", "landing_shop_key_1"]


def test_a_file_is_set_aside_only_where_it_is_at_fault() -> None:
    with pytest.raises(UnreadableFile, match="cannot be loaded: Error while reading data"):
        load(Client(failed(exceptions.BadRequest, "invalid")))
    for error, passes in (
        (failed(exceptions.Forbidden, "accessDenied"), False),
        (failed(exceptions.BadRequest, "resourcesExceeded"), False),
        (failed(exceptions.ServiceUnavailable, "backendError"), True),
        (failed(exceptions.InternalServerError, "jobInternalError"), True),
    ):
        with pytest.raises(WarehouseError) as raised:
            load(Client(error))
        assert raised.value.is_transient == passes
