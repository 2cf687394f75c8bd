"""Which columns of other tables each column of a dbt model is made from. sqlglot reads this from the SQL, once per state of the project.

dagster-dbt can do this too, but only while dbt runs: it keeps the warehouse open meanwhile, and it reads the SQL of the run, which for
most models covers only what changed. Here the SQL for the whole history is compiled, and the result is kept beside the manifest.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import dagster as dg
from sqlglot import MappingSchema, exp, parse_one
from sqlglot.lineage import lineage
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import build_scope

from sessionization_dagster.dbt.manifest import Manifest, Table
from sessionization_dagster.dbt.project import DbtProject
from sessionization_dagster.disk import write_whole

#: Column -> [(unique id of the table's dbt node, column)].
Origins = dict[str, list[tuple[str, str]]]
Lineage = dict[str, Origins]

# The number is incremented when the lineage is computed differently, so that an older file is not read.
CACHE = "column_lineage.1.json"


def column_lineage(
    project: DbtProject, variables: Mapping[str, Any], warn: Callable[[str], object]
) -> dict[str, dg.TableColumnLineage]:
    """Unique id -> lineage of a model's columns, kept in the project's target folder. The raw tables must exist. Never fails.

    variables are dbt vars, such as the run's id, which labels the queries that are sent to the warehouse meanwhile.
    """
    cache = project.target_path / CACHE
    try:
        if not cache.exists():
            compiled = _compiled_models(project, variables)
            write_whole(cache, json.dumps(lineage_of(project.manifest, compiled)).encode())
        found: Lineage = json.loads(cache.read_text())
        return _as_metadata(found, project.manifest)
    except Exception as error:
        # Missing lineage is no reason to fail a run whose tables are written.
        warn(f"No column lineage: {error}")
        return {}


def declared_lineage(manifest: Manifest) -> dict[str, dg.TableColumnLineage]:
    """Unique id -> lineage that the yml declares (meta.derived_from), for tables that no SQL of dbt makes."""
    by_relation = _by_relation(manifest)
    declared = {source.unique_id: _declared(source, by_relation) for source in manifest.sources}
    return _as_metadata(declared, manifest)


def _as_metadata(found: Lineage, manifest: Manifest) -> dict[str, dg.TableColumnLineage]:
    # The asset keys of models and of sources are schema.table.
    keys = {unique_id: dg.AssetKey(table.relation) for unique_id, table in manifest.tables.items()}
    return {
        unique_id: dg.TableColumnLineage(
            deps_by_column={
                column: [dg.TableColumnDep(asset_key=keys[origin], column_name=name) for origin, name in deps]
                for column, deps in origins.items()
            }
        )
        for unique_id, origins in found.items()
        if origins
    }


def _by_relation(manifest: Manifest) -> dict[tuple[str, str], str]:
    return {table.relation: unique_id for unique_id, table in manifest.tables.items()}


def lineage_of(manifest: Manifest, compiled: Mapping[str, str]) -> Lineage:
    """The origins of each model's columns. compiled is unique id -> SQL. Columns whose origins cannot be found are left out."""
    dialect, by_relation = manifest.adapter, _by_relation(manifest)
    by_place = {table.place: unique_id for unique_id, table in manifest.tables.items()}
    schema = MappingSchema(dialect=dialect)
    found: Lineage = {}
    for unique_id in _upstream_first(manifest.tables):
        table = manifest.tables[unique_id]
        columns = list(table.described_columns)
        if unique_id in compiled:
            by_column = _origins(compiled[unique_id], schema, by_place, dialect)
            columns = list(by_column) or columns
            found[unique_id] = {name: deps for name, deps in by_column.items() if deps} | _declared(table, by_relation)
        # Models downstream select * from this one.
        place = exp.table_(table.place[1], db=table.place[0])
        schema.add_table(place, dict.fromkeys(columns, "text"), dialect=dialect)
    return found


def _compiled_models(project: DbtProject, variables: Mapping[str, Any]) -> dict[str, str]:
    """Unique id -> the model's SQL over the whole history."""
    command = ["compile", "--select", "resource_type:model", "--indirect-selection", "empty", "--no-write-json"]
    results = project.runner.invoke(command, variables).result.results
    return {result.node.unique_id: result.node.compiled_code for result in results}


def _upstream_first(tables: Mapping[str, Table]) -> Iterator[str]:
    """Unique ids, each after those that it depends on."""
    seen: set[str] = set()

    def visit(unique_id: str) -> Iterator[str]:
        if unique_id in seen or unique_id not in tables:
            return
        seen.add(unique_id)
        for parent in tables[unique_id].depends_on:
            yield from visit(parent)
        yield unique_id

    for unique_id in tables:
        yield from visit(unique_id)


def _origins(
    sql: str, schema: MappingSchema, by_place: Mapping[tuple[str, str], str], dialect: str
) -> dict[str, list[tuple[str, str]]]:
    """Output column -> origins: empty if the column is a constant or a count. No columns if sqlglot cannot read the SQL."""
    try:
        query = qualify(
            _without_database(parse_one(sql, dialect=dialect)),
            schema=schema,
            dialect=dialect,
            validate_qualify_columns=False,
        )
        assert isinstance(query, exp.Query)
        scope = build_scope(query)
        return {
            name: sorted(
                _leaves(
                    lineage(name, query, schema, dialect=dialect, scope=scope, trim_selects=False, copy=False),
                    by_place,
                )
            )
            for name in query.named_selects
        }
    except Exception as error:
        logging.getLogger(__name__).debug("No column lineage for:\n%s", sql, exc_info=error)
        return {}


def _without_database(query: exp.Expr) -> exp.Expr:
    """The query with tables named by schema and name only, like the keys of by_place."""
    for table in query.find_all(exp.Table):
        table.set("catalog", None)
    return query


def _leaves(node: Any, by_place: Mapping[tuple[str, str], str]) -> set[tuple[str, str]]:
    """The columns of dbt's tables at which a column's lineage ends."""
    found = set()
    for step in node.walk():
        table = None if step.downstream else step.expression.find(exp.Table)
        unique_id = by_place.get((table.db, table.name)) if table is not None else None
        if unique_id is not None:
            found.add((unique_id, exp.to_column(step.name).name))
    return found


def _declared(table: Table, by_relation: Mapping[tuple[str, str], str]) -> Origins:
    """Origins from a column's yml (meta.derived_from: [schema.table.column]), for SQL that reads a table that is not an asset."""
    origins: Origins = {}
    for column in table.columns.values():
        for origin in column.meta.get("derived_from", []):
            schema, name, origin_column = origin.split(".")
            origins.setdefault(column.name, []).append((by_relation[schema, name], origin_column))
    return origins
