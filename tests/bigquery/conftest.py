"""One emulator for all tests of this folder, and a warehouse with datasets of its own for each."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from sessionization_dagster.landing.gcs import clients
from sessionization_dagster.warehouses import bigquery
from sessionization_dagster.warehouses.bigquery import BigQueryWarehouse
from sessionization_dagster.warehouses.dialect import Places
from tests.bigquery.emulator import LOCATION, PROJECT, emulator

_numbers = itertools.count()


@pytest.fixture(scope="session", autouse=True)
def patient_client() -> Iterator[None]:
    """Requests may take ten times as long as of BigQuery: on a slow machine the emulator answers after a minute."""
    seconds = 10 * bigquery.REQUEST_SECONDS
    with pytest.MonkeyPatch.context() as patch:
        for module in (bigquery, clients):
            patch.setattr(module, "REQUEST_SECONDS", seconds)
            patch.setattr(module, "RETRY", bigquery.RETRY.with_timeout(seconds))
        yield


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running emulator."""
    with emulator(tmp_path_factory.mktemp("emulator") / "log.txt") as address:
        yield address


@pytest.fixture
def new_warehouse(endpoint: str) -> Callable[[], BigQueryWarehouse]:
    """Makes warehouses, each with datasets of its own."""
    return lambda: BigQueryWarehouse(
        Places(PROJECT, f"shop_{next(_numbers)}"), LOCATION, endpoint=endpoint, timeout_seconds=60
    )


@pytest.fixture
def warehouse(new_warehouse: Callable[[], BigQueryWarehouse]) -> BigQueryWarehouse:
    """A warehouse without tables."""
    return new_warehouse()
