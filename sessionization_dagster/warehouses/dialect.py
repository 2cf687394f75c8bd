"""Translates SQL of DuckDB's dialect, with tables as schema.table, for BigQuery. Pure: texts in, texts out.

Two things differ beyond the dialect. TIMESTAMP is a moment in UTC; BigQuery's name for it is TIMESTAMP too (its DATETIME has no
timezone). Names without a schema are the tables that a connection keeps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import sqlglot
from sqlglot import exp

from sessionization_dagster.warehouses.base import TableLayout

RAW_SCHEMA = "raw"
_MOMENTS = (exp.DataType.Type.TIMESTAMP, exp.DataType.Type.TIMESTAMPNTZ, exp.DataType.Type.DATETIME)
# The parents of a target table, which cannot have an alias.
_TARGET_PARENTS = (exp.Insert, exp.Delete, exp.Create, exp.Schema, exp.Update)


@dataclass(frozen=True)
class Places:
    """Where the tables of a schema are.

    Attributes:
        project: the project of all datasets.
        dataset: the beginning of our datasets' names: <dataset>_<schema>.
        raw_datasets: source -> the vendor's dataset, or project.dataset. A source without one has raw tables in our dataset.
    """

    project: str
    dataset: str
    raw_datasets: Mapping[str, str] = field(default_factory=dict)

    def dataset_of(self, schema: str) -> str:
        """The dataset of one of our schemas."""
        return f"{self.dataset}_{schema}"

    def path_of(self, schema: str, name: str) -> tuple[str, str, str]:
        """Project, dataset and table name. raw.rudderstack_tracks is the vendor's table tracks."""
        if schema == RAW_SCHEMA:
            # The longest name first: one source's name and an underscore may begin another source's name.
            for source in sorted(self.raw_datasets, key=len, reverse=True):
                if name.startswith(f"{source}_"):
                    project, _, dataset = self.raw_datasets[source].rpartition(".")
                    return project or self.project, dataset, name.removeprefix(f"{source}_")
        return self.project, self.dataset_of(schema), name


def to_bigquery(sql: str, places: Places, kept: Mapping[str, str]) -> str:
    """One statement for BigQuery.

    kept: name without a schema -> its meaning: a table's full name, or a query in brackets.

    Raises:
        ValueError: the statement reads a name that is neither kept nor one of its own common table expressions.
    """
    tree = _parsed(sql).copy()
    for kind in tree.find_all(exp.DataType):
        if kind.this in _MOMENTS:
            kind.set("this", exp.DataType.Type.TIMESTAMPTZ)
    for table in list(tree.find_all(exp.Table)):
        if isinstance(table.this, exp.Identifier):
            _place(table, places, kept)
    return tree.sql(dialect="bigquery")


def create_table(table: TableLayout, places: Places) -> str:
    """The statement that creates a table with its layout if it is missing."""
    statement = to_bigquery(f"create table if not exists {table.schema}.{table.name} ({table.columns})", places, {})
    partitions = f" PARTITION BY {table.partitioned_by}" if table.partitioned_by else ""
    clusters = f" CLUSTER BY {table.clustered_by}" if table.clustered_by else ""
    return f"{statement}{partitions}{clusters}"


def as_script(statements: list[str]) -> str:
    """Statements of BigQuery as one script. Either all take effect, or no statement does. A script that fails rolls back by itself."""
    return ";\n".join(["BEGIN TRANSACTION", *statements, "COMMIT TRANSACTION"]) + ";"


@lru_cache(maxsize=256)
def _parsed(sql: str) -> exp.Expr:
    return sqlglot.parse_one(sql, dialect="duckdb")


def _place(table: exp.Table, places: Places, kept: Mapping[str, str]) -> None:
    name = table.name
    if table.db:
        project, dataset, name_there = places.path_of(table.db, name)
        source: exp.Expr = exp.to_table(f"`{project}`.`{dataset}`.`{name_there}`", dialect="bigquery")
    elif name in set(_visible_ctes(table)):
        return
    elif name in kept:
        source = exp.select("*").from_(kept[name], dialect="bigquery").args["from_"].this
    else:
        raise ValueError(
            f"No table is kept under the name {name}, and it has no schema: {table.parent_select or table}"
        )
    if not isinstance(table.parent, _TARGET_PARENTS):
        # Columns may have the table's name before them: core.t.a and t.a both mean the table that now has another name.
        source.set("alias", exp.TableAlias(this=exp.to_identifier(table.alias or name)))
    source.set("joins", table.args.get("joins"))
    table.replace(source)


def _visible_ctes(table: exp.Table) -> Iterator[str]:
    """Names of the common table expressions that a table's name may refer to."""
    inside: exp.Expr = table
    query = table.parent
    while query is not None:
        if isinstance(query, exp.With):
            # In the same list, only those before it, unless the list is recursive.
            for cte in query.expressions:
                if cte is inside and not query.recursive:
                    break
                yield cte.alias
        elif isinstance(query, exp.Query | exp.DML) and not isinstance(inside, exp.With):
            with_ = query.args.get("with_")
            if with_ is not None:
                yield from (cte.alias for cte in with_.expressions)
        inside, query = query, query.parent
