"""Which tables have rows that belong to one visitor, and whose each row is. Read from the manifest, never from a table's name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sessionization_dagster.dbt.manifest import Manifest, Table
from sessionization_dagster.errors import SettingsError

KEYED = ("frontier", "rollup")


class EntityKind(StrEnum):
    """The kinds of entities of tables."""

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


def keyed_tables(manifest: Manifest) -> tuple[KeyedTable, ...]:
    """The tables keyed by visitor or by id, in the order of their names.

    These are the frontier models, the rollup models except rollups by date, and all nodes with entity and entity_kind in config or meta.

    Raises:
        SettingsError: a frontier's root does not say what its entities are.
    """
    keys = dict(_keys(manifest))
    found = []
    for table in manifest.tables.values():
        is_frontier = table.materialized in KEYED
        entity = table.entity or (table.key if is_frontier else None)
        if not entity or (table.key and table.key == table.date):
            continue
        key = keys.get(table.unique_id) or table.unique_by
        if not key:
            raise SettingsError(
                f"{table.name}: its yml needs a test unique or unique_combination_of_columns, or its config unique_by."
            )
        found.append(
            KeyedTable(
                unique_id=table.unique_id,
                schema=table.place[0],
                name=table.place[1],
                kind=_kind(manifest, table),
                entity=entity,
                date=table.date,
                key=tuple(key),
                is_stream=is_frontier and table.entity_kind is not None,
            )
        )
    return tuple(sorted(found, key=lambda table: table.relation))


def _kind(manifest: Manifest, table: Table) -> EntityKind:
    """The table's own entity_kind, or that of the root that it follows."""
    kind = table.entity_kind
    if kind is not None:
        if kind not in set(EntityKind):
            raise SettingsError(f"{table.name}: entity_kind is '{kind}'. Allowed: {', '.join(EntityKind)}.")
        return EntityKind(kind)
    parents = [parent for name in table.depends_on if (parent := manifest.tables[name]).materialized in KEYED]
    if not parents:
        raise SettingsError(
            f"{table.name}: its config needs entity_kind, one of {', '.join(EntityKind)}, as it follows no other table."
        )
    return _kind(manifest, parents[0])


def _keys(manifest: Manifest) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Unique id -> the columns of a uniqueness test. If there are several such tests, the last one counts; any would do."""
    for test in manifest.tests:
        # A test of a model that is not enabled stays in the manifest and has no model.
        if test.generic == "unique_combination_of_columns" and test.tables:
            yield test.tables[0], tuple(test.arguments["columns"])
        elif test.generic == "unique" and test.tables:
            yield test.tables[0], (test.arguments["column_name"],)
