"""Manifests for tests: nodes as dbt writes them, of which a test gives only what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sessionization_dagster.dbt.manifest import Manifest

Nodes = Mapping[str, Mapping[str, Any]]


def manifest_of(nodes: Nodes, sources: Nodes | None = None, macros: Nodes | None = None) -> Manifest:
    """A manifest of nodes and sources by unique id."""
    return Manifest.of(
        {
            "metadata": {"adapter_type": "duckdb"},
            "nodes": {unique_id: _whole(unique_id, "model", node) for unique_id, node in nodes.items()},
            "sources": {unique_id: _whole(unique_id, "source", node) for unique_id, node in (sources or {}).items()},
            "macros": macros or {},
        }
    )


def _whole(unique_id: str, resource_type: str, node: Mapping[str, Any]) -> dict[str, Any]:
    name = node.get("name", unique_id.rpartition(".")[2])
    places = {"source_name": "raw", "identifier": name} if resource_type == "source" else {"alias": name}
    column: dict[str, Any] = {"data_type": None, "description": "", "config": {}}
    return {
        "unique_id": unique_id, "resource_type": resource_type, "name": name, "schema": "main", "description": "", "tags": [],
        "original_file_path": "", "patch_path": None, **places, **node,
        "config": {"schema": "main", **node.get("config", {})},
        "depends_on": {"nodes": [], "macros": [], **node.get("depends_on", {})},
        "columns": {key: {"name": key, **column, **given} for key, given in node.get("columns", {}).items()},
    }  # fmt: skip
