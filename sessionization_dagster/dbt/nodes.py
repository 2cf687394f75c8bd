"""Reads the config and meta of a manifest's nodes. No Dagster, no warehouse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def meta_of(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """The meta of a node or column, wherever its yml has it."""
    meta: Mapping[str, Any] = node.get("config", {}).get("meta") or node.get("meta") or {}
    return meta


def relation_of(node: Mapping[str, Any]) -> tuple[str, str]:
    """(schema, table) of a model, seed or source as the project names it. This is its asset key, and its name on DuckDB."""
    if node["resource_type"] == "source":
        return node["source_name"], node["name"]
    return node["config"]["schema"], node["alias"]


def tables_of(manifest: Mapping[str, Any]) -> set[str]:
    """schema.table of all models, seeds and sources of the manifest: all tables that a run makes or reads."""
    nodes = [*manifest["nodes"].values(), *manifest["sources"].values()]
    return {".".join(relation_of(node)) for node in nodes if node["resource_type"] in ("model", "seed", "source")}


def place_of(node: Mapping[str, Any]) -> tuple[str, str]:
    """(schema or dataset, table) of a model, seed or source as the warehouse and the compiled SQL name it."""
    return node["schema"], node.get("alias") or node["identifier"]


def is_view(node: Mapping[str, Any]) -> bool:
    """Whether it is a view, so that reading it means reading other tables."""
    return bool(node.get("config", {}).get("materialized") == "view")


def described_columns(node: Mapping[str, Any]) -> dict[str, str | None]:
    """Column -> description, for the columns of the yml and, in a raw table, those that landing adds (meta.own_columns)."""
    columns = {name: column.get("description") or None for name, column in node.get("columns", {}).items()}
    return {**columns, **meta_of(node).get("own_columns", {})}


def log_nodes(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The nodes of logs, which record what runs did (meta.dagster.log). No later run needs their rows."""
    nodes = [*manifest["nodes"].values(), *manifest["sources"].values()]
    return [node for node in nodes if meta_of(node).get("dagster", {}).get("log")]


def written_by(op: str, manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The dbt sources that a Python op writes: those whose meta.dagster.written_by names it."""
    return [node for node in manifest["sources"].values() if meta_of(node).get("dagster", {}).get("written_by") == op]
