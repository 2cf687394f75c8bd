"""One run of everything downstream of the raw tables, without Dagster. A full rebuild and a recomputed sample share it.

Ordinary runs go through the assets, which do the same steps one by one and report each to Dagster.
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
        warehouse: where raw tables are read and all other tables are written.
        identity: the settings of the identity graph.
    """

    project: DbtProject
    warehouse: DuckDBWarehouse
    identity: IdentitySettings

    def in_folder(self, folder: Path) -> Engine:
        """The same engine on a warehouse in another folder, with the same file name: dbt's manifest names the database after it."""
        return replace(self, warehouse=replace(self.warehouse, path=folder / self.warehouse.path.name))

    def run(
        self,
        window: Window,
        applied_at: datetime,
        run_id: str,
        on_event: Callable[[Event], None] | None = None,
    ) -> None:
        """Make and test every table for the days of the window from the current raw tables.

        applied_at (naive UTC) is the timestamp of changed identities. run_id is the run's name in monitoring. on_event is called with
        the result of each dbt node, including tests that found rows.

        Raises:
            DbtError: a model failed.
        """
        self.build(["--select", f"tag:{BEFORE_IDENTITY}"], window, run_id, on_event=on_event)
        self.identify(window, applied_at)
        self.build(["--select", f"tag:{AFTER_IDENTITY}"], window, run_id, on_event=on_event)

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
        # A test over several models runs once the last of them is made.
        tests = ("--indirect-selection", "buildable")
        self.project.runner.invoke(["build", *resources, *selection, *tests], variables, on_event)

    def identify(self, window: Window, applied_at: datetime) -> None:
        """Update the identity graph and the user agents: the part of run between the two dbt commands."""
        update_identity_graph(self.warehouse, window, self.identity, applied_at)
        update_user_agents(self.warehouse, window)
