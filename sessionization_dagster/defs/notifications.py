"""Notifies people of failed runs: in the daemon's log, or by a post to a web address. Another way needs one class with notify()."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Protocol

import dagster as dg
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry


@dataclass(frozen=True)
class FailedRun:
    """A run that failed.

    Attributes:
        run_id, job: Dagster's.
        partitions: the day, or the days as "first...last"; empty for a run without days.
        steps: the failed steps, as "step: innermost error".
        message: Dagster's message about the run.
    """

    run_id: str
    job: str
    partitions: str
    steps: tuple[str, ...]
    message: str

    @property
    def text(self) -> str:
        """The failure as text for people."""
        of_days = f" for {self.partitions}" if self.partitions else ""
        reasons = "\n".join(self.steps) or self.message
        return f"Run {self.run_id[:8]} of {self.job}{of_days} failed.\n{reasons}"


def innermost_cause(event: dg.DagsterEvent) -> str:
    """The first cause of a step's failure. The project's own errors are sentences, so the name of their class is left out."""
    error: Any = event.step_failure_data.error
    while error is not None and error.cause is not None:
        error = error.cause
    message = str(error.message).strip() if error is not None else str(event.message)
    return message.partition(": ")[2] if message.startswith("sessionization_dagster.") else message


class Notifier(Protocol):
    """Notifies somebody of a failed run."""

    def notify(self, failure: FailedRun, log: logging.Logger) -> None:
        """Send the notification. Raise if it could not be sent."""
        ...


class LogNotifier:
    """Writes into the daemon's log."""

    def notify(self, failure: FailedRun, log: logging.Logger) -> None:
        """See Notifier."""
        log.error(failure.text)


@dataclass(frozen=True)
class WebhookNotifier:
    """Posts JSON to a URL: `text` for chat programs, and the same content in fields. Retries on HTTP 5xx and broken connections."""

    url: str
    timeout_seconds: float = 10.0
    attempts: int = 4

    def notify(self, failure: FailedRun, log: logging.Logger) -> None:
        """See Notifier.

        Raises:
            requests.RequestException: the address did not accept the post.
        """
        retry = Retry(
            total=self.attempts - 1,
            backoff_factor=0.5,
            status_forcelist=(429, 500, 502, 503, 504),
            allowed_methods=None,
        )
        body: dict[str, Any] = {"text": failure.text, **vars(failure), "steps": list(failure.steps)}
        with requests.Session() as session:
            session.mount("http://", HTTPAdapter(max_retries=retry))
            session.mount("https://", HTTPAdapter(max_retries=retry))
            session.post(self.url, json=body, timeout=self.timeout_seconds).raise_for_status()
        log.info(f"Reported the failure of run {failure.run_id[:8]}.")
