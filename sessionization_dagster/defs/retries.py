"""How a step is retried after a transient error, such as a locked file or an overloaded warehouse. Errors in the data are not retried."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from sessionization_dagster.errors import is_transient

MAX_RETRIES = 3
# 30 s, 60 s, 120 s: enough for a query tool that somebody forgot to close, or a minute of HTTP 503. Nobody waits for a nightly run.
FIRST_WAIT_SECONDS = 30


@contextmanager
def retrying(
    context: dg.OpExecutionContext | dg.AssetExecutionContext | dg.AssetCheckExecutionContext,
) -> Iterator[None]:
    """Have Dagster retry the step if the block fails with a transient error. Any other error fails the step at once.

    Every step may be repeated: its finished work stays, and is done again.
    """
    try:
        yield
    except Exception as error:
        if not is_transient(error):
            raise
        attempt = context.retry_number
        wait = FIRST_WAIT_SECONDS * 2**attempt
        if attempt < MAX_RETRIES:
            context.log.warning(f"{error}\nThis may pass: trying again in {wait} s ({attempt + 1} of {MAX_RETRIES}).")
        raise dg.RetryRequested(max_retries=MAX_RETRIES, seconds_to_wait=wait) from error
