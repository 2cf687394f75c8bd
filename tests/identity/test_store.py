"""The graph's tables: in memory and in SQL they are the same, and what the oracle says of all rows at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from sessionization_dagster.identity.store import in_sql
from sessionization_dagster.warehouses.base import Connection
from sessionization_dagster.warehouses.duckdb import DuckDBWarehouse
from tests.identity.edge_histories import History, apply, contents

IN_MEMORY, IN_SQL = 10**9, -1


@pytest.mark.parametrize("seed", range(12))
def test_both_ways_agree_with_the_oracle_after_every_run(seed: int, tmp_path: Path) -> None:
    history = History(seed)
    ways = {limit: DuckDBWarehouse(tmp_path / f"{limit}.duckdb") for limit in (IN_MEMORY, IN_SQL)}
    for window in history.steps(4):
        updates = [apply(warehouse, history, window, limit) for limit, warehouse in ways.items()]
        assert updates[0] == updates[1]
        found = []
        for warehouse in ways.values():
            with warehouse.read() as connection:
                found.append(contents(connection))
        assert found[0] == found[1]
        graph = sorted(found[0]["core.identity_graph"], key=lambda row: row["alias"])
        assert graph == history.expected_graph(), f"seed {seed}, {window}, {history.settings}"


def test_changes_are_stamped_with_the_windows_first_day(tmp_path: Path) -> None:
    warehouse = DuckDBWarehouse(tmp_path / "w.duckdb")
    history = History(3)
    firsts: set[date] = set()
    for window in history.steps(6):
        if apply(warehouse, history, window, IN_SQL).reassigned_aliases:
            firsts.add(window.start)
    with warehouse.read() as connection:
        changes = contents(connection)["core.identity_changes"]
    assert {row["partition_date"] for row in changes} == firsts
    assert len(firsts) > 1


def stars(connection: Connection, links: Iterable[tuple[int, int]]) -> tuple[dict[str, str], int]:
    pairs = [(f"{max(pair):06}", f"{min(pair):06}") for pair in links]
    connection.register(
        "given", pa.table({"child": [child for child, _ in pairs], "parent": [parent for _, parent in pairs]})
    )
    connection.create_temp("links", "select distinct child, parent from given")
    rounds = in_sql.shrink_to_stars(connection)
    rows = connection.query("select child, parent from links").to_pylist()
    found = {row["child"]: row["parent"] for row in rows}
    assert len(found) == len(rows)
    return found, rounds


def test_long_chains_and_wide_stars_take_few_rounds(tmp_path: Path) -> None:
    size = 4096
    chain = [(n, n + 1) for n in range(size)]
    # Bits reversed, neighbours in the chain are far apart in number.
    jumbled = [(int(f"{left:012b}"[::-1], 2), int(f"{right % size:012b}"[::-1], 2)) for left, right in chain]
    star = [(size, n) for n in range(size)]
    with DuckDBWarehouse(tmp_path / "w.duckdb").connect() as connection:
        for links in (chain, jumbled, star):
            found, rounds = stars(connection, links)
            assert set(found.values()) == {"000000"}
            assert len(found) == len({n for pair in links for n in pair}) - 1
            assert rounds <= 12
        assert stars(connection, []) == ({}, 0)
