"""A server that dies or stalls fails its clients within seconds, with its last output; the emulator's JavaScript starts everywhere."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from sessionization_dagster.errors import WarehouseError
from sessionization_dagster.warehouses.bigquery import BigQueryConnection, BigQueryWarehouse
from sessionization_dagster.warehouses.dialect import Places
from tests.bigquery import watchdog
from tests.bigquery.emulator import LOCATION, PROGRAM, PROJECT, emulator, free_ports

JAVASCRIPT = """
create temp function twice(x float64) returns float64 language js as 'return 2 * x;';
select twice(21) as answer"""


def warehouse_at(address: str) -> BigQueryWarehouse:
    return BigQueryWarehouse(Places(PROJECT, "shop"), LOCATION, endpoint=address, timeout_seconds=600)


def test_javascript_runs_whatever_the_processor(endpoint: str) -> None:
    """Without the flags that emulator_program.py sets, V8 crashes on processors with memory protection keys."""
    with warehouse_at(endpoint).connect() as connection:
        assert connection.query_as_written(JAVASCRIPT).to_pylist() == [{"answer": 42.0}]


def test_javascript_is_started_without_memory_protection_keys() -> None:
    """If the processor has no such keys, only the flags show it."""
    (flags,) = re.findall(r"^V8_FLAGS = (.*)$", PROGRAM.read_text(), re.MULTILINE)
    assert "--no-memory-protection-keys" in flags
    assert "init_mini_racer(flags=V8_FLAGS)" in PROGRAM.read_text()


def test_an_emulator_that_dies_under_a_statement_fails_it_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The statement that is under way, and the next one."""
    started: list[subprocess.Popen[bytes]] = []

    class Noted(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *arguments: object, **options: object) -> None:
            super().__init__(*arguments, **options)  # type: ignore[call-overload]
            started.append(self)

    monkeypatch.setattr("tests.bigquery.emulator.subprocess.Popen", Noted)
    with emulator(tmp_path / "log.txt") as address, warehouse_at(address).connect() as connection:
        connection.query_as_written("select 1")
        (process,) = started
        # Faulthandler writes the stacks of a process that ends by this signal into its log.
        threading.Timer(1, process.send_signal, [signal.SIGSEGV]).start()
        began = time.monotonic()
        with pytest.raises(WarehouseError, match=r"(?s)died \(killed by signal 11\).*Segmentation fault"):
            _keep_asking(connection, until=began + 60)
        with pytest.raises(WarehouseError, match="killed by signal 11"):
            connection.query_as_written("select 1")
        assert time.monotonic() - began < 60


def _keep_asking(connection: BigQueryConnection, until: float) -> None:
    while time.monotonic() < until:
        connection.query_as_written("select count(*) from unnest(generate_array(1, 1000000))")


def test_a_server_that_stalls_is_killed_and_its_clients_get_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "ANSWER_SECONDS", 0.5)
    program = (
        "import http.server as h; print('the last words', flush=True); h.test(h.SimpleHTTPRequestHandler, port={port})"
    )
    (port,) = free_ports(1)
    log = tmp_path / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", program.format(port=port)], stdout=output, stderr=output, cwd=tmp_path
        )
    with watchdog.watched(process, port, "/", log) as address:
        os.kill(process.pid, signal.SIGSTOP)
        with (
            pytest.raises(WarehouseError, match=r"(?s)stalled for .* and was killed.*the last words"),
            warehouse_at(address).connect() as connection,
        ):
            connection.query_as_written("select 1")
