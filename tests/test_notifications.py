"""Failed runs are reported by a real post to a real server."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from sessionization_dagster.defs.notifications import FailedRun, LogNotifier, WebhookNotifier, innermost_cause

FAILURE = FailedRun("0123456789ab", "daily_sessionization", "2024-03-10", ("session_models: it broke",), "")
LOG = logging.getLogger("test")


class Server(HTTPServer):
    """Answers with the given statuses, one after the other, the last one for ever; keeps what was posted."""

    statuses: list[int]
    posts: list[dict[str, Any]]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append(json.loads(body))
        statuses = self.server.statuses
        self.send_response(statuses.pop(0) if len(statuses) > 1 else statuses[0])
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Silence."""


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Handler)
    server.statuses, server.posts = [200], []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def url(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_port}/hook"


def test_a_failed_run_is_posted(server: Server) -> None:
    WebhookNotifier(url(server)).notify(FAILURE, LOG)
    (post,) = server.posts
    assert post["text"] == "Run 01234567 of daily_sessionization for 2024-03-10 failed.\nsession_models: it broke"
    assert (post["run_id"], post["partitions"], post["steps"]) == (
        "0123456789ab",
        "2024-03-10",
        ["session_models: it broke"],
    )


def test_a_server_in_trouble_is_asked_again(server: Server) -> None:
    server.statuses = [503, 500, 200]
    WebhookNotifier(url(server)).notify(FAILURE, LOG)
    assert len(server.posts) == 3


def test_a_refusal_is_an_error_at_once(server: Server) -> None:
    server.statuses = [403]
    with pytest.raises(requests.HTTPError, match="403"):
        WebhookNotifier(url(server)).notify(FAILURE, LOG)
    assert len(server.posts) == 1


def test_without_an_address_the_log_has_the_failure(caplog: pytest.LogCaptureFixture) -> None:
    LogNotifier().notify(FailedRun("0123456789ab", "full_rebuild", "", (), "Run was killed."), LOG)
    assert caplog.messages == ["Run 01234567 of full_rebuild failed.\nRun was killed."]


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("sessionization_dagster.errors.DbtError: 2 tests failed: a, b\n", "2 tests failed: a, b"),
        ("ValueError: not ours\n", "ValueError: not ours"),
    ],
)
def test_the_cause_of_a_failure_is_the_innermost_error_and_ours_are_sentences(message: str, said: str) -> None:
    inner = SimpleNamespace(message=message, cause=None)
    event: Any = SimpleNamespace(step_failure_data=SimpleNamespace(error=SimpleNamespace(message="outer", cause=inner)))
    assert innermost_cause(event) == said
