"""Options of all tests: which suite runs, how many random histories, and which tests one worker gets (tests/suites.py).

Workers share the dbt project's parsed manifests alone: a test has its folders, its ports and its Dagster instance for itself.
"""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from sessionization_dagster.dbt.garbage import collect_rarely
from tests.suites import LONG, QUICK, SERVICES, SLOW, SUITES, belongs, turn_of


def pytest_addoption(parser: pytest.Parser) -> None:
    """How many random histories the exactness tests try, and from which seed on: 1 to 7 hold every situation that 0 to 7 do."""
    parser.addoption("--histories", type=int, default=7, help="random histories per exactness test")
    parser.addoption("--first-history", type=int, default=1, help="seed of the first random history")
    parser.addoption("--suite", choices=SUITES, default="all", help="which tests to run: see tests/suites.py")


def pytest_configure() -> None:
    """Collect garbage rarely, as the project's processes do: a tenth of the time of a history went into it."""
    collect_rarely()


class Turns(LoadScopeScheduling):  # type: ignore[misc]
    """Which tests one worker gets at once. By file name: the marks that --dist loadgroup goes by do not reach it with pytest 9.2."""

    def _split_scope(self, nodeid: str) -> str:
        return turn_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Turns:
    """Keep the order of the collected tests."""
    config.option.loadscopereorder = False
    return Turns(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of the suite; for workers, first what lasts longest."""
    suite = config.getoption("--suite")
    if not any("::" in argument for argument in config.args):
        _require_known_names(items)
    config.hook.pytest_deselected(items=[item for item in items if not belongs(item.nodeid, suite)])
    items[:] = [item for item in items if belongs(item.nodeid, suite)]
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: (item.path.name not in SERVICES, item.path.parent.name != "integration"))


def _require_known_names(items: list[pytest.Item]) -> None:
    """Refuse a test that tests/suites.py names and its file does not have: renamed, it would change its suite without a word."""
    files = {item.nodeid.split("::")[0] for item in items}
    for name in (*QUICK, *SLOW, *LONG):
        file, _, test = name.partition("::")
        function = test.partition("[")[0]
        if file in files and test and not any(item.nodeid.startswith(f"{file}::{function}") for item in items):
            raise pytest.UsageError(f"tests/suites.py names {name}, and {file} has no such test.")
