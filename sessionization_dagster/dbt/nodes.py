"""What a manifest's node says of itself. No Dagster, no warehouse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def meta_of(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """The meta of a node or column, wherever its yml gave it."""
    meta: Mapping[str, Any] = node.get("config", {}).get("meta") or node.get("meta") or {}
    return meta


def relation_of(node: Mapping[str, Any]) -> tuple[str, str]:
    """(schema, table) of a model, seed or source, as the project calls it: its asset key, and its name on DuckDB."""
    if node["resource_type"] == "source":
        return node["source_name"], node["name"]
    return node["config"]["schema"], node["alias"]


def tables_of(manifest: Mapping[str, Any]) -> set[str]:
    """schema.table of the models, seeds and sources that the manifest has: all tables that a run makes or reads."""
    nodes = [*manifest["nodes"].values(), *manifest["sources"].values()]
    return {".".join(relation_of(node)) for node in nodes if node["resource_type"] in ("model", "seed", "source")}


def place_of(node: Mapping[str, Any]) -> tuple[str, str]:
    """(schema or dataset, table) of a model, seed or source as the warehouse calls it, and as compiled SQL does."""
    return node["schema"], node.get("alias") or node["identifier"]


def is_view(node: Mapping[str, Any]) -> bool:
    """Whether reading it means reading other tables."""
    return bool(node.get("config", {}).get("materialized") == "view")


def described_columns(node: Mapping[str, Any]) -> dict[str, str | None]:
    """Column -> description: those of the yml, and of a raw table those that landing adds (meta.own_columns)."""
    columns = {name: column.get("description") or None for name, column in node.get("columns", {}).items()}
    return {**columns, **meta_of(node).get("own_columns", {})}


def log_nodes(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Nodes whose tables tell what runs did (meta.dagster.log): none of their rows is needed by a later run."""
    nodes = [*manifest["nodes"].values(), *manifest["sources"].values()]
    return [node for node in nodes if meta_of(node).get("dagster", {}).get("log")]


def written_by(op: str, manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The dbt sources that a Python op writes: those that name it (meta.dagster.written_by)."""
    return [node for node in manifest["sources"].values() if meta_of(node).get("dagster", {}).get("written_by") == op]
