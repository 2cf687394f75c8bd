"""Column lineage from SQL: on models made for the purpose. tests/integration/test_demo.py looks at the project's own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from sessionization_dagster.dbt.column_lineage import CACHE, column_lineage, declared_lineage, lineage_of
from sessionization_dagster.dbt.manifest import Manifest
from tests.manifests import manifest_of


def node(unique_id: str, columns: list[str], parents: list[str] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "schema": "raw" if unique_id.startswith("source.") else "marts",
        "columns": {column: {"config": {"meta": more.pop(column, {})}} for column in columns},
        "depends_on": {"nodes": parents or []},
        "config": {"schema": "marts", **more},
    }


MANIFEST = manifest_of(
    {
        "model.sessions": node("model.sessions", ["who", "started_at", "calls"], ["model.events"]),
        "model.events": node("model.events", ["id", "at", "properties", "kind"], ["source.calls"]),
        "model.strange": node("model.strange", ["x"], ["model.events"]),
        "model.summed": node("model.summed", ["total"], ["model.events"], total={"derived_from": ["marts.events.at"]}),
        "test.events": {"resource_type": "test", "depends_on": {"nodes": ["model.events"]}},
    },
    {
        "source.calls": node("source.calls", ["id", "at"], meta={"own_columns": {"properties": "JSON."}}),
        "source.graph": node("source.graph", ["person"], person={"derived_from": ["raw.calls.id"]}),
    },
)
COMPILED = {
    "model.sessions": """
        with events as (select * from "warehouse"."marts"."events"),
        starts as (select id as who, at, lag(at) over (partition by id order by at) as at_before from events)
        select who, least(min(at), min(at_before)) as started_at, count(*) as calls from starts group by who""",
    "model.events": """
        select *, 'call' as kind from "warehouse"."raw"."calls"
        union all
        select id, at, properties, 'call' from "warehouse"."raw"."calls" """,
    "model.strange": "select from where (",
    "model.summed": "select * from warehouse.internal.state",
}


def test_columns_lead_through_ctes_and_stars_to_the_tables_above() -> None:
    found = lineage_of(MANIFEST, COMPILED)
    assert found["model.events"] == {name: [("source.calls", name)] for name in ("id", "at", "properties")}
    assert found["model.sessions"] == {
        "who": [("model.events", "id")],
        # What a window is ordered and split by is part of where its value comes from.
        "started_at": [("model.events", "at"), ("model.events", "id")],
    }


def test_sql_that_cannot_be_read_leaves_the_rest_whole() -> None:
    found = lineage_of(MANIFEST, COMPILED)
    assert found["model.strange"] == {}
    assert found["model.sessions"]


def test_a_yml_gives_the_origins_where_the_sql_reads_no_asset_and_where_there_is_none() -> None:
    assert lineage_of(MANIFEST, COMPILED)["model.summed"] == {"total": [("model.events", "at")]}
    assert declared_lineage(MANIFEST) == {
        "source.graph": dg.TableColumnLineage(
            {"person": [dg.TableColumnDep(asset_key=dg.AssetKey(["raw", "calls"]), column_name="id")]}
        )
    }


@dataclass
class BrokenProject:
    """A project that nothing can be compiled of."""

    target_path: Path
    manifest: Manifest

    @property
    def runner(self) -> Any:
        raise RuntimeError("the warehouse is locked")


def test_what_was_found_is_read_again_and_what_cannot_be_found_fails_nothing(tmp_path: Path) -> None:
    warnings: list[str] = []
    project: Any = BrokenProject(tmp_path, MANIFEST)
    assert column_lineage(project, {}, warnings.append) == {}
    assert warnings == ["No column lineage: the warehouse is locked"]
    (tmp_path / CACHE).write_text(json.dumps(lineage_of(MANIFEST, COMPILED)))
    found = column_lineage(project, {}, warnings.append)
    assert found["model.events"].deps_by_column["id"] == [
        dg.TableColumnDep(asset_key=dg.AssetKey(["raw", "calls"]), column_name="id")
    ]
    assert "model.strange" not in found
    assert len(warnings) == 1
