"""One run of everything behind the raw tables, without Dagster: what a rebuild and a recomputed sample of visitors share.

Ordinary runs go through the assets, which do the same steps one by one and tell Dagster of each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sessionization_dagster.dbt.project import DbtProject
from sessionization_dagster.dbt.runner import Event
from sessionization_dagster.dbt.selection import AFTER_IDENTITY, BEFORE_IDENTITY
from sessionization_dagster.identity.policies import IdentitySettings
from sessionization_dagster.identity.store import update_identity_graph
from sessionization_dagster.user_agents import update_user_agents
from sessionization_dagster.warehouses.duckdb import DuckDBWarehouse
from sessionization_dagster.window import Window

MODELS_ONLY = ("--resource-type", "model", "--resource-type", "seed")


@dataclass(frozen=True)
class Engine:
    """The models and the identity graph on one warehouse.

    Attributes:
        project: the dbt project.
        warehouse: where raw tables are read and all others written.
        identity: who is who.
    """

    project: DbtProject
    warehouse: DuckDBWarehouse
    identity: IdentitySettings

    def in_folder(self, folder: Path) -> Engine:
        """The same on another warehouse: of the same file name, as dbt's manifest names the database after it."""
        return replace(self, warehouse=replace(self.warehouse, path=folder / self.warehouse.path.name))

    def run(
        self,
        window: Window,
        applied_at: datetime,
        run_id: str,
        with_tests: bool = True,
        on_event: Callable[[Event], None] | None = None,
    ) -> None:
        """Make every table for the days of the window from the raw tables as they stand.

        applied_at (naive UTC) is what re-assigned identities are stamped with, run_id what monitoring names. on_event hears how each
        dbt node ended, tests that found rows included.

        Raises:
            DbtError: a model failed.
        """
        self.build(["--select", f"tag:{BEFORE_IDENTITY}"], window, run_id, with_tests, on_event)
        self.identify(window, applied_at)
        self.build(["--select", f"tag:{AFTER_IDENTITY}"], window, run_id, with_tests, on_event)

    def build(
        self,
        selection: Sequence[str],
        window: Window,
        run_id: str,
        with_tests: bool = True,
        on_event: Callable[[Event], None] | None = None,
    ) -> None:
        """One dbt command over the selected nodes: a part of run.

        Raises:
            DbtError: a model failed.
        """
        variables = {**window.as_dbt_vars(), "run_id": run_id, "duckdb_path": str(self.warehouse.path)}
        resources = () if with_tests else MODELS_ONLY
        # A test over several models runs once the last of them stands.
        tests = ("--indirect-selection", "buildable")
        self.project.runner.invoke(["build", *resources, *selection, *tests], variables, on_event)

    def identify(self, window: Window, applied_at: datetime) -> None:
        """The identity graph and the user agents: the part of run between the two dbt commands."""
        update_identity_graph(self.warehouse, window, self.identity, applied_at)
        update_user_agents(self.warehouse, window)
