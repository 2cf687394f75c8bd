"""Options and fixtures of the whole suite."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """How many random histories the exactness tests try, and from which seed on."""
    parser.addoption("--histories", type=int, default=12, help="random histories per exactness test")
    parser.addoption("--first-history", type=int, default=0, help="seed of the first random history")
