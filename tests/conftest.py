"""Options of the whole suite, and which of its tests one worker runs where several do (make test).

Workers share the dbt project's parsed manifests alone: a test has its folders, its ports and its Dagster instance for itself.
"""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling


def pytest_addoption(parser: pytest.Parser) -> None:
    """How many random histories the exactness tests try, and from which seed on: 1 to 7 hold every situation that 0 to 7 do."""
    parser.addoption("--histories", type=int, default=7, help="random histories per exactness test")
    parser.addoption("--first-history", type=int, default=1, help="seed of the first random history")


# Dagster's services take a worker for themselves, one after another: two sets of them would wait for each other's processes.
SERVICES = {"test_daemon.py", "test_deployment.py", "test_ui_in_browser.py"}
# Long tests that share nothing: whichever worker is free takes the next. The tests of any other file share what its fixtures made.
APART = {
    "test_closure.py", "test_equality.py", "test_exactness.py", "test_failures.py", "test_found_breaks.py", "test_job.py",
    "test_maintenance.py", "test_schedules_and_sensors.py",
}  # fmt: skip


class Turns(LoadScopeScheduling):
    """Which tests one worker gets at once. By file name: the marks that --dist loadgroup goes by do not reach it with pytest 9.2."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        name = file.rsplit("/", 1)[-1]
        return "services" if name in SERVICES else nodeid if name in APART else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Turns:
    """Keep the order of the collected tests."""
    config.option.loadscopereorder = False
    return Turns(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """For workers, first what lasts longest."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: (item.path.name not in SERVICES, item.path.parent.name != "integration"))
