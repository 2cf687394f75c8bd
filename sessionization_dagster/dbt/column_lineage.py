"""Which columns of other tables each column of a dbt model is made from: read off the SQL by sqlglot, once per state of the project.

dagster-dbt can do this too, while dbt runs: it keeps the warehouse open meanwhile, and reads the SQL of the run, which for most models
is that of what changed only. Here the text for the whole history is compiled and the answer kept beside the manifest.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from sqlglot import MappingSchema, exp, parse_one
from sqlglot.lineage import lineage
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import build_scope

from sessionization_dagster.dbt.nodes import described_columns, meta_of, place_of, relation_of
from sessionization_dagster.dbt.project import DbtProject

#: Column -> [(unique id of the table's dbt node, column)].
Origins = dict[str, list[tuple[str, str]]]
Lineage = dict[str, Origins]

# The last part counts up when the answer is worked out differently: a file of before is then not read.
CACHE = "column_lineage.1.json"


def column_lineage(
    project: DbtProject, variables: Mapping[str, Any], warn: Callable[[str], object]
) -> dict[str, dg.TableColumnLineage]:
    """Unique id -> lineage of a model's columns, kept in the project's target folder. Needs the raw tables to be there; never fails.

    variables are dbt's, such as the run's id, which what is asked of the warehouse meanwhile bears.
    """
    cache = project.target_path / CACHE
    try:
        if not cache.exists():
            _write(cache, lineage_of(project.manifest, _compiled_models(project, variables)))
        found: Lineage = json.loads(cache.read_text())
        return _as_metadata(found, project.manifest)
    except Exception as error:
        # Something to look at is no reason to fail a run whose tables are written.
        warn(f"No column lineage: {error}")
        return {}


def declared_lineage(manifest: Mapping[str, Any]) -> dict[str, dg.TableColumnLineage]:
    """Unique id -> what the yml says of the columns of tables that no SQL of dbt makes (meta.derived_from)."""
    by_relation = {relation_of(node): unique_id for unique_id, node in _tables(manifest).items()}
    declared = {unique_id: _declared(node, by_relation) for unique_id, node in manifest["sources"].items()}
    return _as_metadata(declared, manifest)


def _as_metadata(found: Lineage, manifest: Mapping[str, Any]) -> dict[str, dg.TableColumnLineage]:
    # Asset keys are schema.table, of models and of sources.
    keys = {unique_id: dg.AssetKey(relation_of(node)) for unique_id, node in _tables(manifest).items()}
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


def _tables(manifest: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Sources, seeds and models by unique id."""
    nodes = {**manifest["sources"], **manifest["nodes"]}
    return {
        unique_id: node for unique_id, node in nodes.items() if node["resource_type"] in ("source", "seed", "model")
    }


def lineage_of(manifest: Mapping[str, Any], compiled: Mapping[str, str]) -> Lineage:
    """Origins of the columns of each model; compiled is unique id -> SQL. Columns whose origins cannot be found are left out."""
    nodes = _tables(manifest)
    dialect = manifest["metadata"]["adapter_type"]
    by_place = {place_of(node): unique_id for unique_id, node in nodes.items()}
    by_relation = {relation_of(node): unique_id for unique_id, node in nodes.items()}
    schema = MappingSchema(dialect=dialect)
    found: Lineage = {}
    for unique_id in _upstream_first(nodes):
        node = nodes[unique_id]
        columns = list(described_columns(node))
        if unique_id in compiled:
            by_column = _origins(compiled[unique_id], schema, by_place, dialect)
            columns = list(by_column) or columns
            found[unique_id] = {name: deps for name, deps in by_column.items() if deps} | _declared(node, by_relation)
        # Models below select * from this one.
        table = exp.table_(place_of(node)[1], db=place_of(node)[0])
        schema.add_table(table, dict.fromkeys(columns, "text"), dialect=dialect)
    return found


def _compiled_models(project: DbtProject, variables: Mapping[str, Any]) -> dict[str, str]:
    """Unique id -> the model's SQL over the whole history."""
    command = ["compile", "--select", "resource_type:model", "--indirect-selection", "empty", "--no-write-json"]
    results = project.runner.invoke(command, variables).result.results
    return {result.node.unique_id: result.node.compiled_code for result in results}


def _upstream_first(nodes: Mapping[str, Any]) -> Iterator[str]:
    """Unique ids, each after those that it depends on."""
    seen: set[str] = set()

    def visit(unique_id: str) -> Iterator[str]:
        if unique_id in seen or unique_id not in nodes:
            return
        seen.add(unique_id)
        for parent in nodes[unique_id].get("depends_on", {}).get("nodes", []):
            yield from visit(parent)
        yield unique_id

    for unique_id in nodes:
        yield from visit(unique_id)


def _origins(
    sql: str, schema: MappingSchema, by_place: Mapping[tuple[str, str], str], dialect: str
) -> dict[str, list[tuple[str, str]]]:
    """Output column -> origins, none where the column is a constant or a count; no columns where the SQL is beyond sqlglot."""
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
    """Tables by schema and name alone, as by_place has them."""
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


def _declared(node: Mapping[str, Any], by_relation: Mapping[tuple[str, str], str]) -> Origins:
    """Origins that a column's yml gives (meta.derived_from: [schema.table.column]): where the SQL reads a table that is no asset."""
    origins: Origins = {}
    for name, column in node["columns"].items():
        for origin in meta_of(column).get("derived_from", []):
            schema, table, origin_column = origin.split(".")
            origins.setdefault(name, []).append((by_relation[schema, table], origin_column))
    return origins


def _write(path: Path, found: Lineage) -> None:
    scratch = path.with_suffix(f".{os.getpid()}")
    scratch.write_text(json.dumps(found))
    os.replace(scratch, path)
