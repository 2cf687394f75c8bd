"""Which errors pass by themselves: judged by what warehouses really say."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
import requests
from google.api_core import exceptions as google

from sessionization_dagster.errors import DbtError, WarehouseError, is_transient


@pytest.mark.parametrize(
    "error",
    [
        WarehouseError("locked", is_transient=True),
        duckdb.IOException(
            'IO Error: Could not set lock on file "x.duckdb": Conflicting lock is held in python (PID 1)'
        ),
        google.ServiceUnavailable("try later"),
        google.InternalServerError("oops"),
        google.TooManyRequests("slow down"),
        RuntimeError("503 POST https://bigquery.example/jobs: Service is busy"),
        RuntimeError("Exceeded rate limits; reason: rateLimitExceeded"),
        ConnectionResetError("Connection reset by peer"),
        TimeoutError("timed out"),
    ],
)
def test_locks_overloads_and_broken_connections_pass(error: Exception) -> None:
    assert is_transient(error)
    wrapped = DbtError("dbt build could not run")
    wrapped.__cause__ = error
    assert is_transient(wrapped)


@pytest.mark.parametrize(
    "error",
    [
        None,
        WarehouseError("no DuckDB file"),
        DbtError("node: Conversion Error: Could not convert string 'x' to INT32; 503 rows"),
        duckdb.ConversionException("Conversion Error: invalid timestamp 500"),
        google.NotFound("dataset"),
        google.Forbidden("no rights"),
        ValueError("504"),
    ],
)
def test_settings_and_data_do_not(error: Exception | None) -> None:
    assert not is_transient(error)


def test_an_http_error_is_judged_by_its_status() -> None:
    for status, passes in ((502, True), (404, False)):
        response = requests.Response()
        response.status_code = status
        assert is_transient(requests.HTTPError("no", response=response)) is passes


def test_a_real_lock_is_transient(tmp_path: Path) -> None:
    import subprocess
    import sys

    from sessionization_dagster.warehouses.duckdb import DuckDBWarehouse

    path = tmp_path / "w.duckdb"
    holder = subprocess.Popen(
        [sys.executable, "-c", f"import duckdb; c = duckdb.connect({str(path)!r}); print('open', flush=True); input()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert holder.stdout is not None
    holder.stdout.readline()
    try:
        for opened in (DuckDBWarehouse(path, 0.1).connect, DuckDBWarehouse(path, 0.1).read):
            with pytest.raises(WarehouseError, match="Another process has it open") as error, opened():
                pass
            assert is_transient(error.value)
    finally:
        holder.communicate(b"\n")
