"""Watches a server that tests talk to over HTTP. When it dies or stalls, its clients get an error with its last output at once.

Google's clients send a request again for minutes when nobody answers. So a stand-in takes the dead server's port and answers each request
with "bad request", which no client sends again. That reaches every client: of threads, of dbt and of other processes.
"""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import requests

#: How long a server may take to start on a slow, busy machine.
START_SECONDS = 300
POLL_SECONDS = 0.5
#: A server that does not answer this many times in a row, each within the seconds, and computes nothing meanwhile, has stalled. The
#: emulator translates a long statement in the thread that answers, which takes minutes on a slow machine.
ASKED_AT_MOST = 3
ANSWER_SECONDS = 20
LEAST_COMPUTED_SECONDS = 0.5
LAST_LINES = 40


@contextmanager
def watched(process: subprocess.Popen[bytes], port: int, path: str, log: Path) -> Iterator[str]:
    """Wait until the server of the process answers GET path on the port, then watch it; gives its address.

    Raises:
        RuntimeError: it does not start; shows the end of its log.
    """
    address = f"http://127.0.0.1:{port}"
    _wait(f"{address}{path}", process, log)
    is_over = threading.Event()
    watching = threading.Thread(target=_watch, args=(process, port, f"{address}{path}", log, is_over), daemon=True)
    watching.start()
    try:
        yield address
    finally:
        is_over.set()
        watching.join()


def last_output(log: Path) -> str:
    """The end of a log, long lines cut; of a crash of Python its beginning, which says what it was."""
    lines = [line[:300] for line in log.read_text(errors="replace").splitlines()]
    crash = next((place for place, line in enumerate(lines) if line.startswith("Fatal Python error")), None)
    return "\n".join(lines[-LAST_LINES:] if crash is None else lines[crash:][:LAST_LINES])


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up_at = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < give_up_at:
        if _answers(address):
            return
        time.sleep(0.2)
    raise RuntimeError(f"The server did not start ({_state(process)}). Its log ends with:\n{last_output(log)}")


def _watch(process: subprocess.Popen[bytes], port: int, address: str, log: Path, is_over: threading.Event) -> None:
    unanswered, computed = 0, 0.0
    while not is_over.wait(POLL_SECONDS):
        if process.poll() is None:
            before, computed = computed, _seconds_computed(process)
            works = _answers(address) or computed - before > LEAST_COMPUTED_SECONDS
            unanswered = 0 if works else unanswered + 1
        has_stalled = unanswered == ASKED_AT_MOST and process.poll() is None
        if has_stalled:
            _abort(process)
        if process.poll() is not None and not is_over.is_set():
            how = f"stalled for {ASKED_AT_MOST * ANSWER_SECONDS} s and was killed" if has_stalled else "died"
            message = f"The server {how} ({_state(process)}). Its log ends with:\n{last_output(log)}"
            with _stand_in(port, message):
                is_over.wait()


def _abort(process: subprocess.Popen[bytes]) -> None:
    """End a process; Python's fault handler writes on what each of its threads stood into the log."""
    process.send_signal(signal.SIGABRT)
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=ANSWER_SECONDS).ok
    except requests.RequestException:
        return False


def _seconds_computed(process: subprocess.Popen[bytes]) -> float:
    """Processor time of the process so far."""
    try:
        times = psutil.Process(process.pid).cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def _state(process: subprocess.Popen[bytes]) -> str:
    code = process.poll()
    return "it still runs" if code is None else f"killed by signal {-code}" if code < 0 else f"exit code {code}"


@contextmanager
def _stand_in(port: int, message: str) -> Iterator[None]:
    """Answer every request to the port with the message, as an error that clients do not send again."""
    error = {"code": 400, "message": message, "errors": [{"reason": "invalid", "message": message}]}
    body = json.dumps({"error": {**error, "status": "INVALID_ARGUMENT"}}).encode()

    class Refuse(BaseHTTPRequestHandler):
        def refuse(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(400)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = refuse

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", port), Refuse) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()
