"""Options of the whole suite, and which of its tests one worker runs where several do (make test).

Workers share the dbt project's parsed manifests alone: a test has its folders, its ports and its Dagster instance for itself.
"""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """How many random histories the exactness tests try, and from which seed on."""
    parser.addoption("--histories", type=int, default=8, help="random histories per exactness test")
    parser.addoption("--first-history", type=int, default=0, help="seed of the first random history")


# Long tests that share nothing: whichever worker is free takes the next. The tests of any other file share what its fixtures made.
APART = {
    "test_closure.py", "test_exactness.py", "test_found_breaks.py", "test_job.py", "test_maintenance.py",
    "test_schedules_and_sensors.py",
}  # fmt: skip


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Groups for --dist loadgroup, those first that last longest: Dagster's services, one after another, then what runs dbt."""
    if not hasattr(config, "workerinput"):
        return
    for item in items:
        if item.path.name not in APART and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(f"{item.path.parent.name}/{item.path.stem}"))
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    group = item.get_closest_marker("xdist_group")
    if group is not None and group.args == ("services",):
        return 0
    return 1 if item.path.parent.name == "integration" else 2
