"""A full rebuild: makes every table from the raw rows in a new warehouse, which replaces the real one once its checks pass.

Until then the real warehouse stays as it is and can be queried. Logs that a rebuild cannot recreate are copied.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sessionization_dagster.dbt.events import Progress
from sessionization_dagster.dbt.manifest import Manifest
from sessionization_dagster.rebuild.pipeline import Engine
from sessionization_dagster.warehouses.duckdb import DuckDBWarehouse
from sessionization_dagster.window import Window

PREFIX = "rebuild-"
# Logs of dbt's runs and of erasures. The views of the schema monitoring read them.
INTERNAL_LOGS = (("internal", "run_results"), ("internal", "erasures"), ("internal", "erasures_in_progress"))


def tables_to_keep(manifest: Manifest) -> tuple[tuple[str, str], ...]:
    """The logs, as (schema, table), that a rebuild cannot recreate: those that Python writes, and the internal ones."""
    return (*(source.relation for source in manifest.sources if source.is_log), *INTERNAL_LOGS)


@dataclass(frozen=True)
class Rebuild:
    """One rebuild, step by step. Each step may be repeated.

    Attributes:
        engine: on the real warehouse.
        name: a name that no other rebuild has.
        history: tables to copy besides the raw ones, as (schema, table).
    """

    engine: Engine
    name: str
    history: tuple[tuple[str, str], ...]

    @property
    def folder(self) -> Path:
        """The folder of the new warehouse. It is beside the real one, so that the file system moves it into place in one step."""
        return self.engine.warehouse.path.parent / f"{PREFIX}{self.name}"

    @property
    def rebuilt(self) -> DuckDBWarehouse:
        """The new warehouse."""
        return self.engine.in_folder(self.folder).warehouse

    def copy_raw(self) -> dict[str, int]:
        """Start the new warehouse with the raw tables and the logs; return the rows of each table.

        Leftovers of earlier rebuilds are removed first.

        Raises:
            FileNotFoundError: there is no warehouse to rebuild.
        """
        warehouse = self.engine.warehouse
        if not warehouse.path.exists():
            raise FileNotFoundError(
                f"{warehouse.path} does not exist: run a day first, a rebuild starts from its raw tables."
            )
        for folder in warehouse.path.parent.glob(f"{PREFIX}*"):
            shutil.rmtree(folder)
        return self.rebuilt.copy_from(
            warehouse, lambda schema, table: schema == "raw" or (schema, table) in self.history
        )

    def build(self, window: Window, applied_at: datetime, report: Callable[[str], object]) -> int:
        """Make and test every table for the window, and return how many tests ran. A warning does not stop the rebuild.

        Raises:
            DbtError: a model failed, or a test of severity error. The new warehouse is kept for inspection.
        """
        progress = Progress(report)
        self.engine.in_folder(self.folder).run(window, applied_at, self.name, on_event=progress)
        progress.raise_failed_tests()
        return progress.test_count

    def swap_in(self) -> list[tuple[str, int | None, int | None]]:
        """Put the new warehouse in the real one's place. Return (table, rows before, rows now) of the tables whose row counts differ.

        Repeatable: if the new one is already in place, nothing is done.
        """
        if not self.rebuilt.path.exists():
            return []
        before, now = self.engine.warehouse.row_counts(), self.rebuilt.row_counts()
        self.engine.warehouse.replace_by(self.rebuilt)
        shutil.rmtree(self.folder)
        tables: Iterable[str] = sorted(name for name in before.keys() | now.keys() if not name.startswith("internal."))
        return [(name, before.get(name), now.get(name)) for name in tables if before.get(name) != now.get(name)]
