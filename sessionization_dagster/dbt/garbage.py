"""How often Python's garbage collector runs while dbt or Dagster work.

By default it runs after every 700 new objects, and now and then it looks at all objects that live. dbt's parsed project is a million
objects that live as long as the process. A day's run spent an eighth of its time on them. The collector is needed only for objects that
refer to each other in a circle; all others are freed at once.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# New objects between two collections. A day's run makes two million, of which a tenth is garbage: some 40 MB.
COLLECT_EVERY_OBJECTS = 2_500_000


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
