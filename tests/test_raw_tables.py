"""Reading the declared raw tables out of a dbt manifest."""

from __future__ import annotations

from typing import Any

import pytest

from sessionization_dagster.dbt.manifest import Manifest
from sessionization_dagster.dbt.raw_tables import raw_tables
from sessionization_dagster.landing import LandingError, RawColumn, RawTable
from tests.manifests import manifest_of


def node(source: str, table: str, columns: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A source as dbt writes it into the manifest."""
    columns = columns or {"id": {"name": "id", "data_type": "varchar", "config": {"meta": {"required": True}}}}
    return {
        "source_name": "raw",
        "name": f"{source}_{table}",
        "config": {"meta": {"landing": {"source": source, "table": table}}},
        "columns": columns,
    } | changes


def manifest(*nodes: dict[str, Any]) -> Manifest:
    """A manifest with nothing but sources."""
    return manifest_of({}, {f"source.x.raw.{place}": node for place, node in enumerate(nodes)})


def test_tables_come_in_the_order_of_the_sources_then_by_name() -> None:
    declared = manifest(node("a", "y"), node("b", "z"), node("a", "x"), node("c", "z"))
    assert [table.name for table in raw_tables(declared, ["b", "a", "b"])] == ["b_z", "a_x", "a_y"]


def test_columns_keep_their_order_type_and_meta() -> None:
    columns = {
        "timestamp": {"name": "timestamp", "data_type": "TIMESTAMP", "meta": {"required": True}},
        "price": {"name": "price", "data_type": "double"},
        "id": {"name": "id", "data_type": "VARCHAR", "config": {"meta": {"required": False}}},
    }
    assert raw_tables(manifest(node("a", "x", columns)), ["a"]) == (
        RawTable(
            "a",
            "x",
            (RawColumn("timestamp", "TIMESTAMP", True), RawColumn("price", "DOUBLE"), RawColumn("id", "VARCHAR")),
            at="timestamp",
        ),
    )


def test_meta_may_be_outside_config() -> None:
    old = node("a", "x", config={}, meta={"landing": {"source": "a", "table": "x"}})
    assert [table.name for table in raw_tables(manifest(old), ["a"])] == ["a_x"]


def test_other_sources_are_no_raw_tables() -> None:
    others = [node("a", "y", source_name="core"), node("a", "rejects", config={"meta": {}})]
    assert [table.name for table in raw_tables(manifest(node("a", "x"), *others), ["a"])] == ["a_x"]


def test_an_unknown_source_names_the_allowed_ones() -> None:
    with pytest.raises(LandingError, match="unknown source 'c': allowed are a, b"):
        raw_tables(manifest(node("b", "x"), node("a", "x")), ["a", "c"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"columns": {"d": {"name": "d", "data_type": "STRUCT(a INT)"}}}, "data_type 'STRUCT.*allowed are VARCHAR"),
        ({"columns": {"d": {"name": "d"}}}, "data_type None"),
        ({"columns": {"p": {"name": "Properties", "data_type": "JSON"}}}, "'properties' is taken"),
        (
            {"columns": {"a": {"name": "a", "data_type": "JSON"}, "A": {"name": "A", "data_type": "JSON"}}},
            "'a' is taken",
        ),
        ({"columns": {"d": {"name": "d", "data_type": "DATE", "meta": {"names": "day"}}}}, "names 'day'; write a list"),
        ({"columns": {}}, "declares no columns"),
        ({"name": "elsewhere"}, "meta.landing says a_x"),
        ({"config": {"meta": {"landing": {"source": "a"}}}}, "needs both"),
    ],
)
def test_a_declaration_that_cannot_be_landed_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(LandingError, match=message):
        raw_tables(manifest(node("a", "x") | changes), ["a"])


def test_the_column_of_the_time_is_a_time_or_a_number_and_keys_are_known() -> None:
    columns = {"t": {"name": "t", "data_type": "BIGINT"}, "d": {"name": "d", "data_type": "VARCHAR"}}
    landing = {"source": "a", "table": "x"}

    def declared(**more: str) -> tuple[RawTable, ...]:
        return raw_tables(manifest(node("a", "x", columns, config={"meta": {"landing": landing | more}})), ["a"])

    assert (declared(at="t")[0].at, declared(at="t")[0].counts_time, declared()[0].at) == ("t", True, None)
    with pytest.raises(
        LandingError, match=r"column 'd' is the time of a row and has data_type VARCHAR; it must be one of TIMESTAMP"
    ):
        declared(at="d")
    with pytest.raises(LandingError, match=r"meta.landing has att; allowed are source, table, at"):
        declared(att="t")
