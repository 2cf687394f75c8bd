"""How often Python's garbage collector runs while dbt or Dagster work."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from sessionization_dagster.dbt.garbage import COLLECT_EVERY_OBJECTS, collected_rarely


@pytest.fixture(autouse=True)
def usual_thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield
    gc.set_threshold(*before)


def test_it_is_rare_inside_and_as_before_afterwards() -> None:
    with collected_rarely():
        assert gc.get_threshold() == (COLLECT_EVERY_OBJECTS, 10, 10)
        with collected_rarely():
            assert gc.get_threshold() == (COLLECT_EVERY_OBJECTS, 10, 10)
        assert gc.get_threshold() == (COLLECT_EVERY_OBJECTS, 10, 10)
    assert gc.get_threshold() == (700, 10, 10)


def test_an_error_leaves_it_as_before() -> None:
    with pytest.raises(KeyError, match="day"), collected_rarely():
        raise KeyError("day")
    assert gc.get_threshold() == (700, 10, 10)


@pytest.mark.parametrize("chosen", [0, 5_000_000])
def test_who_switched_it_off_or_chose_a_rarer_one_keeps_that(chosen: int) -> None:
    gc.set_threshold(chosen, 10, 10)
    with collected_rarely():
        assert gc.get_threshold() == (chosen, 10, 10)
