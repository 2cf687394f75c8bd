"""Errors that a user can act upon: each message names what is wrong, where, and the remedy. Also: which errors are transient."""

from __future__ import annotations

import re


class SettingsError(ValueError):
    """A setting has a value that cannot be used."""


class TransientError(RuntimeError):
    """An error that may not occur again in a later retry, if is_transient says so."""

    def __init__(self, message: str, is_transient: bool = False) -> None:
        """With is_transient, a retry may help. Otherwise the data or the settings must change first."""
        super().__init__(message)
        self.is_transient = is_transient


class WarehouseError(TransientError):
    """The warehouse refused: it is locked, unreachable or of another version."""


class DbtError(TransientError):
    """A dbt command failed. The message names the nodes and has the warehouse's message."""


# Warehouses' messages for transient errors. dbt passes on the messages, not the exceptions.
_PASSING = re.compile(
    r"could not set lock on file|conflicting lock is held"
    r"|\b(?:429|50[0234]) (?:GET|POST|PUT|PATCH|DELETE) https?://"
    r"|service unavailable|bad gateway|gateway timeout|backendError|rateLimitExceeded|jobRateLimitExceeded"
    r"|connection (?:reset|refused|aborted)|remote end closed connection|temporary failure in name resolution",
    re.IGNORECASE,
)
_PASSING_STATUS = {429, 500, 502, 503, 504}


def is_transient(error: BaseException | None) -> bool:
    """Whether a later retry may succeed: judged by the error itself, its HTTP status or its message, or by those of a cause."""
    while error is not None:
        if isinstance(error, WarehouseError):
            return error.is_transient  # judged by code that knows the warehouse: a status alone may mislead
        if isinstance(error, TransientError):
            passes = error.is_transient
        else:
            passes = (
                isinstance(error, ConnectionError | TimeoutError)
                or _status(error) in _PASSING_STATUS
                or says_passing_trouble(str(error))
            )
        if passes:
            return True
        error = error.__cause__
    return False


def says_passing_trouble(text: str) -> bool:
    """Whether a warehouse's message names a lock, an overload or a broken connection."""
    return _PASSING.search(text) is not None


def _status(error: BaseException) -> int | None:
    """The HTTP status of an error of Google's client (code) or of requests (response)."""
    for status in (getattr(error, "code", None), getattr(getattr(error, "response", None), "status_code", None)):
        if isinstance(status, int):
            return int(status)
    return None
