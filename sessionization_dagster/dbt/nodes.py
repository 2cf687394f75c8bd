"""What a manifest's node says of itself. No Dagster, no warehouse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def meta_of(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """The meta of a node or column, wherever its yml gave it."""
    meta: Mapping[str, Any] = node.get("config", {}).get("meta") or node.get("meta") or {}
    return meta


def relation_of(node: Mapping[str, Any]) -> tuple[str, str]:
    """(schema, table) of a model, seed or source."""
    return node["schema"], node.get("alias") or node["identifier"]


def described_columns(node: Mapping[str, Any]) -> dict[str, str | None]:
    """Column -> description: those of the yml, and of a raw table those that landing adds (meta.own_columns)."""
    columns = {name: column.get("description") or None for name, column in node.get("columns", {}).items()}
    return {**columns, **meta_of(node).get("own_columns", {})}
