"""The landing tests' folder and warehouse."""

from tests.landing.conftest import case, warehouse

__all__ = ["case", "warehouse"]
