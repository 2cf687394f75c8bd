"""Which tables have rows that belong to one visitor, and whose each row is. Read from the manifest, never from a table's name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sessionization_dagster.errors import SettingsError

KEYED = ("frontier", "rollup")


class EntityKind(StrEnum):
    """What the entities of a table are."""

    VISITOR = "visitor"
    ALIAS = "alias"


@dataclass(frozen=True)
class KeyedTable:
    """A table in which each row belongs to one entity.

    Attributes:
        unique_id: the id of its dbt node.
        schema, name: where it is.
        kind: the kind of its entities.
        entity: SQL over its columns that names the row's entity.
        date: SQL over its columns that gives the row's date; None if rows have no date.
        key: the columns that identify a row, by the tests in its yml.
        is_stream: whether it is the root that the entities' other tables are made from. It then holds every date of an entity.
    """

    unique_id: str
    schema: str
    name: str
    kind: EntityKind
    entity: str
    date: str | None
    key: tuple[str, ...]
    is_stream: bool

    @property
    def relation(self) -> str:
        """schema.table."""
        return f"{self.schema}.{self.name}"


def keyed_tables(manifest: Mapping[str, Any]) -> tuple[KeyedTable, ...]:
    """The tables keyed by visitor or by id, in the order of their names.

    These are the frontier models, the rollup models except rollups by date, and all nodes with entity and entity_kind in config or meta.

    Raises:
        SettingsError: a frontier's root does not say what its entities are.
    """
    keys = dict(_keys(manifest))
    found = []
    for unique_id, node in {**manifest["nodes"], **manifest["sources"]}.items():
        config = node.get("config", {})
        is_frontier = config.get("materialized") in KEYED
        entity = _setting(node, "entity") or (config.get("key") if is_frontier else None)
        if not entity or config.get("key_type") == "date":
            continue
        key = keys.get(unique_id) or config.get("unique_by")
        if not key:
            raise SettingsError(
                f"{node['name']}: its yml needs a test unique or unique_combination_of_columns, or its config unique_by."
            )
        found.append(
            KeyedTable(
                unique_id=unique_id,
                schema=node["schema"],
                name=node.get("alias") or node["identifier"],
                kind=_kind(manifest, unique_id),
                entity=entity,
                date=config.get("date"),
                key=tuple(key),
                is_stream=is_frontier and _setting(node, "entity_kind") is not None,
            )
        )
    return tuple(sorted(found, key=lambda table: table.relation))


def _setting(node: Mapping[str, Any], name: str) -> Any:
    config = node.get("config", {})
    return config.get(name) or (config.get("meta") or {}).get(name)


def _kind(manifest: Mapping[str, Any], unique_id: str) -> EntityKind:
    """The node's own entity_kind, or that of the root that it follows."""
    node = manifest["nodes"].get(unique_id) or manifest["sources"][unique_id]
    kind = _setting(node, "entity_kind")
    if kind is not None:
        if kind not in set(EntityKind):
            raise SettingsError(f"{node['name']}: entity_kind is '{kind}'. Allowed: {', '.join(EntityKind)}.")
        return EntityKind(kind)
    parents = [
        parent
        for parent in node["depends_on"]["nodes"]
        if manifest["nodes"].get(parent, {}).get("config", {}).get("materialized") in KEYED
    ]
    if not parents:
        raise SettingsError(
            f"{node['name']}: its config needs entity_kind, one of {', '.join(EntityKind)}, as it follows no other table."
        )
    return _kind(manifest, parents[0])


def _keys(manifest: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Unique id -> the columns of a uniqueness test. If there are several such tests, the last one counts; any would do."""
    for node in manifest["nodes"].values():
        test, tested = node.get("test_metadata") or {}, node["depends_on"].get("nodes", [])
        # A test of a model that is not enabled stays in the manifest and has no model.
        if test.get("name") == "unique_combination_of_columns" and tested:
            yield tested[0], tuple(test["kwargs"]["columns"])
        elif test.get("name") == "unique" and tested:
            yield tested[0], (test["kwargs"]["column_name"],)
