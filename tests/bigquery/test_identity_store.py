"""The identity graph on BigQuery's emulator is what it is on DuckDB and what the oracle says, both ways, run after run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sessionization_dagster.errors import WarehouseError
from sessionization_dagster.identity.store import update
from sessionization_dagster.warehouses.bigquery import BigQueryWarehouse
from sessionization_dagster.warehouses.duckdb import DuckDBWarehouse
from tests.identity.edge_histories import History, apply, contents

IN_MEMORY, IN_SQL = 10**9, -1


@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_same_on_both_warehouses(
    seed: int, new_warehouse: Callable[[], BigQueryWarehouse], tmp_path: Path
) -> None:
    history = History(seed)
    duckdb = DuckDBWarehouse(tmp_path / "w.duckdb")
    ways = {limit: new_warehouse() for limit in (IN_MEMORY, IN_SQL)}
    for window in history.steps(2):
        expected_update = apply(duckdb, history, window, IN_MEMORY)
        with duckdb.read() as connection:
            expected = contents(connection)
        for limit, warehouse in ways.items():
            assert apply(warehouse, history, window, limit) == expected_update
            with warehouse.read() as connection:
                found = contents(connection)
            assert found == expected
        graph = sorted(expected["core.identity_graph"], key=lambda row: row["alias"])
        assert graph == history.expected_graph()


def test_a_run_that_fails_leaves_everything_as_it_was(
    warehouse: BigQueryWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = History(3)
    windows = history.steps(1)
    apply(warehouse, history, next(windows), IN_SQL)
    with warehouse.read() as connection:
        before = contents(connection)
    renaming = update._renaming
    monkeypatch.setattr(update, "_renaming", lambda *given: [*renaming(*given), "insert into core.no_table select 1"])
    window = next(windows)
    with pytest.raises(WarehouseError):
        apply(warehouse, history, window, IN_SQL)
    with warehouse.read() as connection:
        assert contents(connection) == before
    monkeypatch.undo()
    assert apply(warehouse, history, window, IN_SQL).changed_edges
