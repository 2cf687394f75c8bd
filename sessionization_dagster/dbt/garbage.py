"""Python's garbage collector, told to run rarely while dbt or Dagster work.

The collector looks for cycles each time some hundred objects have come, and then looks at all that live. dbt's parsed project is a million
objects which live as long as the process, so a day's run spent an eighth of its time in there. What is in no cycle is freed at once in any
case.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# New objects between two collections: some 100 MB of what dbt and Dagster make.
COLLECT_EVERY_OBJECTS = 1_000_000


def collect_rarely() -> None:
    """Collect garbage once in COLLECT_EVERY_OBJECTS new objects, as long as the process lives. Who chose a rarer collection keeps it."""
    every, *older = gc.get_threshold()
    if every:
        gc.set_threshold(max(every, COLLECT_EVERY_OBJECTS), *older)


@contextmanager
def collected_rarely() -> Iterator[None]:
    """Collect garbage rarely; afterwards as often as before."""
    before = gc.get_threshold()
    collect_rarely()
    try:
        yield
    finally:
        gc.set_threshold(*before)
