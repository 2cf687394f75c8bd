"""Which tables a view's days depend on, and a run that would show days of a view as made that its table has not had."""

from __future__ import annotations

from typing import Any

import pytest

from sessionization_dagster.dbt.views import partitioned_views, require_storable, require_tables, tables_behind
from sessionization_dagster.errors import SettingsError
from tests.manifests import manifest_of


def node(name: str, parents: list[str], materialized: str = "view", layer: str = "sessions") -> dict[str, Any]:
    return {
        "config": {
            "schema": "core",
            "materialized": materialized,
            "storable": name == "view",
            "meta": {"layer": layer},
        },
        "depends_on": {"nodes": parents},
    }


MANIFEST = manifest_of(
    {
        "stored": node("stored", [], "frontier"),
        "view": node("view", ["stored", "graph"]),
        "upper": node("upper", ["view"]),
        "staged": node("staged", ["raw"], layer="staging"),
        "watch": node("watch", ["stored"], layer="monitoring"),
    },
    {
        "graph": {"source_name": "core", "config": {"meta": {"layer": "core"}}},
        "raw": {"config": {"meta": {"layer": "raw"}}},
    },
)


def test_tables_are_found_through_views() -> None:
    assert tables_behind(MANIFEST, "upper") == {"stored", "graph"}
    assert tables_behind(MANIFEST, "staged") == set()
    assert set(partitioned_views(MANIFEST, MANIFEST.tables)) == {"view", "upper", "staged"}


def test_days_that_the_table_has_not_had_are_named_with_the_table() -> None:
    days = ["2024-03-10", "2024-03-11"]
    had = {"stored": {"2024-03-10"}, "graph": set(days)}
    require_tables(MANIFEST, {"view"}, days[:1], had.__getitem__)
    require_tables(MANIFEST, {"view", "stored"}, days, {"graph": set(days)}.__getitem__)
    require_tables(MANIFEST, {"watch", "staged"}, days, dict[str, set[str]]().__getitem__)
    with pytest.raises(
        SettingsError, match=r"^core\.view is a view of core\.stored, which has not had 2024-03-11\. Select"
    ):
        require_tables(MANIFEST, {"view"}, days, had.__getitem__)


def test_only_views_that_can_be_are_stored() -> None:
    require_storable(MANIFEST, ["view", "core/view"])
    with pytest.raises(SettingsError, match=r"stored_views names upper, core/upper\. Allowed: core/view\."):
        require_storable(MANIFEST, ["view", "upper", "core/upper"])
