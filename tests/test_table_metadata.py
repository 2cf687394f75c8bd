"""Metadata of materialisations, on small tables of each kind."""

from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from sessionization_dagster.metadata.partition_metadata import add_table_metadata
from sessionization_dagster.metadata.table_metadata import TableMetadata, figures_sql, table_metadata
from sessionization_dagster.warehouses.duckdb import DuckDBWarehouse
from sessionization_dagster.window import Window
from tests.manifests import manifest_of

WINDOW = Window(date(2024, 3, 10), date(2024, 3, 13))
DAYS = ["2024-03-10", "2024-03-11", "2024-03-12"]


def node(config: dict[str, Any], columns: dict[str, str] | None = None) -> dict[str, Any]:
    return {
        "config": {"schema": "marts", **config},
        "columns": {column: {"description": text} for column, text in (columns or {}).items()},
    }


MANIFEST = manifest_of(
    {
        "steps": node(
            {"date": "day", "meta": {"session": "concat(cast(session as string), '-', visitor)", "visitor": "visitor"}},
            {"visitor": "Who."},
        ),
        "visitors": node({}),
        "changes": node({"meta": {"date": "day", "visitor": "visitor"}}),
    }
)


@pytest.fixture
def warehouse(tmp_path: Path) -> DuckDBWarehouse:
    warehouse = DuckDBWarehouse(tmp_path / "warehouse.duckdb")
    with warehouse.connect() as connection:
        connection.execute("create schema marts")
        connection.execute("""
            create table marts.steps as select * from (values
                ('a', 1, date '2024-03-09', ['x']), ('a', 1, date '2024-03-10', ['x']), ('a', 1, date '2024-03-10', ['y', 'z']),
                ('b', 1, date '2024-03-10', null), ('a', 2, date '2024-03-12', []), ('a', 3, date '2024-03-13', [])
            ) as rows (visitor, session, day, events)""")
        connection.execute("create table marts.visitors as select 'v' || range as visitor from range(9)")
        connection.execute("create table marts.changes (visitor varchar, day date)")
    return warehouse


@pytest.fixture
def tables(warehouse: DuckDBWarehouse) -> dict[str, TableMetadata]:
    lineage = dg.TableColumnLineage({"visitor": [dg.TableColumnDep(dg.AssetKey(["core", "events"]), "alias")]})
    return table_metadata(
        warehouse,
        MANIFEST,
        [*MANIFEST.tables, "test.of.something"],
        WINDOW,
        {"steps": lineage, "visitors": dg.TableColumnLineage({})},
    )


def test_each_day_has_its_own_rows_sessions_and_visitors(tables: dict[str, TableMetadata]) -> None:
    days = tables["steps"].of_partitions(DAYS)
    numbers = ["dagster/row_count", "dagster/partition_row_count", "partition_sessions", "partition_visitors"]
    assert [[entries[label] for label in numbers] for entries in days.values()] == [
        [6, 3, 2, 2],
        [6, 0, 0, 0],
        [6, 1, 1, 1],
    ]


def test_the_last_partition_alone_has_columns_lineage_and_rows_of_the_window(tables: dict[str, TableMetadata]) -> None:
    days = tables["steps"].of_partitions(DAYS)
    long = {"dagster/column_schema", "dagster/column_lineage", "columns_made_from", "preview"}
    assert not long & set(days["2024-03-10"])
    newest = days["2024-03-12"]
    assert long <= set(newest)
    assert newest["dagster/column_schema"].columns[0] == dg.TableColumn("visitor", "VARCHAR", description="Who.")
    assert newest["columns_made_from"].value.split("\n")[2:] == ["| visitor | core.events.alias |"]
    # Dagster keeps metadata for good, so texts that may name somebody are left out.
    assert sorted(newest["preview"].value.split("\n")[2:]) == [
        "| ••• | 1 | 2024-03-10 | null |",
        "| ••• | 1 | 2024-03-10 | ••• |",
        "| ••• | 1 | 2024-03-10 | ••• |",
        "| ••• | 2 | 2024-03-12 | ••• |",
    ]


def test_where_reads_are_billed_a_view_shows_its_rows_by_day_alone(
    warehouse: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DuckDBWarehouse, "bills_reads", True)
    with warehouse.connect() as connection:
        connection.execute("create view marts.shown as select * from marts.steps")
    view = node({"materialized": "view", "date": "day", "meta": {"session": "session", "visitor": "visitor"}})
    manifest = manifest_of({"shown": view})
    tables = table_metadata(warehouse, manifest, ["shown"], WINDOW)
    days = tables["shown"].of_partitions(DAYS)
    assert [entries["dagster/partition_row_count"] for entries in days.values()] == [3, 0, 1]
    assert not {"partition_sessions", "partition_visitors", "preview"} & set(days["2024-03-12"])
    assert "count(distinct" not in figures_sql(manifest.models, WINDOW, is_billed=True)


def test_a_table_without_days_shows_rows_in_all_and_any_five_of_them(tables: dict[str, TableMetadata]) -> None:
    (entries,) = tables["visitors"].of_partitions(["2024-03-10"]).values()
    assert entries["dagster/row_count"] == 9
    assert not {"dagster/partition_row_count", "partition_sessions", "partition_visitors"} & set(entries)
    assert len(entries["preview"].value.split("\n")) == 2 + 5
    assert not {"dagster/column_lineage", "columns_made_from"} & set(entries)


def test_an_empty_table_has_zeros_and_no_preview(tables: dict[str, TableMetadata]) -> None:
    (entries,) = tables["changes"].of_partitions(["2024-03-10"]).values()
    assert entries["dagster/partition_row_count"] == entries["partition_visitors"] == entries["dagster/row_count"] == 0
    assert "partition_sessions" not in entries
    assert "preview" not in entries


def test_partitions_of_one_run_carry_their_own_metadata_beside_what_the_result_gives() -> None:
    """Pins the part of Dagster that is not public."""
    partitions = dg.DailyPartitionsDefinition("2024-03-10", end_date="2024-03-13")
    specs = [dg.AssetSpec(name, partitions_def=partitions) for name in ("one", "other")]

    @dg.multi_asset(specs=specs, backfill_policy=dg.BackfillPolicy.single_run())
    def both(context: dg.AssetExecutionContext) -> Any:
        table = TableMetadata({"total": 7}, {"preview": "rows"}, {date(2024, 3, 11): {"rows": 5}}, ("rows",))
        add_table_metadata(context, {dg.AssetKey("one"): table})
        for spec in specs:
            yield dg.MaterializeResult(spec.key, metadata={"told": "by the result"})

    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [both], instance=instance,
            tags={"dagster/asset_partition_range_start": DAYS[0], "dagster/asset_partition_range_end": DAYS[-1]},
        )  # fmt: skip
    found = {
        (event.asset_key.to_user_string(), event.partition): {
            label: value.value for label, value in event.materialization.metadata.items()
        }
        for event in result.all_events
        if event.event_type_value == "ASSET_MATERIALIZATION" and event.asset_key
    }
    said = {"told": "by the result"}
    assert found == {
        ("one", DAYS[0]): {**said, "total": 7, "rows": 0},
        ("one", DAYS[1]): {**said, "total": 7, "rows": 5},
        ("one", DAYS[2]): {**said, "total": 7, "rows": 0, "preview": "rows"},
        **{("other", day): said for day in DAYS},
    }
