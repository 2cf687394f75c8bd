"""Follows the conditions of a statement down to the tables that they bound, through subqueries, common table expressions, unions, views."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import sqlglot
from sqlglot import exp

from .bounds import Bounds
from .sources import Demand, Source, all_of, demand_on, joined, nothing_asked, passes_conditions, star, words

Known = TypeVar("Known")


@dataclass(frozen=True)
class Named:
    """A common table expression: its query, what that may name, and whether conditions pass into it."""

    query: exp.Expr
    names: Mapping[str, Named]
    passes: bool


class Reader:
    """Reads one statement; `found` are the partitioned tables in it, their bounds and the scope that names them."""

    def __init__(self, columns: Mapping[str, str], views: Mapping[str, str]) -> None:
        self._columns = {name.lower(): (name, column.lower()) for name, column in columns.items()}
        self._views = {name.lower(): query for name, query in views.items()}
        self._open: list[int] = []
        self.found: list[tuple[str, Bounds, exp.Expr]] = []

    def statement(self, node: exp.Expr) -> None:
        """A whole statement."""
        if isinstance(node, exp.Query):
            self._query(node, {}, nothing_asked)
        elif isinstance(node, exp.Delete | exp.Update):
            self._changed(node)
        elif isinstance(node, exp.Merge):
            self._source(Source(node.this), {}, nothing_asked, node)
            self._source(Source(node.args["using"]), {}, nothing_asked, node)
            self._nested(node.args["on"], node.args["whens"], names={})
        elif isinstance(node, exp.Create) and node.kind != "TABLE":
            return  # a view or a function reads nothing by being defined
        elif not isinstance(node, exp.Drop | exp.Alter | exp.TruncateTable):
            self._nested(node, names={})

    def _changed(self, node: exp.Delete | exp.Update) -> None:
        target = Source(node.this or node.args["tables"][0])
        from_ = node.args.get("from_")
        others = joined(from_.this, from_.this.args.get("joins") or []) if from_ else []
        where = node.args.get("where")
        for source in [target, *others]:
            if where is not None and not source.nullable:
                source.conditions.append(where.this)
            self._source(source, {}, demand_on(source, [target, *others], [], node, nothing_asked), node)
        self._nested(where, *node.expressions, names={})

    def _query(self, node: exp.Expr, names: Mapping[str, Named], demand: Demand) -> None:
        with_ = node.args.get("with_")
        if with_ is not None:
            names = _extended(names, with_)
        if node.args.get("limit") or node.args.get("offset"):
            demand = nothing_asked
        if isinstance(node, exp.Subquery):
            self._query(node.this, names, demand)
        elif isinstance(node, exp.Select):
            self._select(node, names, demand)
        elif isinstance(node, exp.SetOperation):
            passes = not node.args.get("distinct") and not node.args.get("by_name")
            of_left = demand if passes else nothing_asked
            self._query(node.left, names, of_left)
            self._query(node.right, names, self._by_position(node, names, of_left))

    def _by_position(self, node: exp.SetOperation, names: Mapping[str, Named], demand: Demand) -> Demand:
        """What is asked of a union's right side, whose columns are named by the left side's."""
        left, right = self._outputs(node.left, names), self._outputs(node.right, names)
        if left is None or right is None or len(left) != len(right):
            return nothing_asked
        pairs = list(zip(left, right, strict=True))
        return lambda name: all_of(demand(outer) for outer, inner in pairs if inner == name)

    def _select(self, node: exp.Select, names: Mapping[str, Named], demand: Demand) -> None:
        from_ = node.args.get("from_")
        joins = node.args.get("joins") or []
        sources = joined(from_.this, joins) if from_ else []
        where = node.args.get("where")
        if not passes_conditions(node):
            demand = nothing_asked
        for source in sources:
            if where is not None and not source.nullable:
                source.conditions.append(where.this)
            asked = nothing_asked if source.nullable else demand
            self._source(source, names, demand_on(source, sources, joins, node, asked), node)
        rest = [part for key, part in _parts(node) if key not in ("from_", "joins", "with_")]
        self._nested(*rest, *(join.args.get("on") for join in joins), names=names)

    def _source(self, source: Source, names: Mapping[str, Named], demand: Demand, scope: exp.Expr) -> None:
        node = source.node
        if node.args.get("pivots") or node.args.get("sample"):
            demand = nothing_asked
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            self._table(node, names, demand, scope)
        elif isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table):
            inner = joined(node.this, node.this.args.get("joins") or [])
            for part in inner:
                self._source(part, names, demand_on(part, inner, [], scope, nothing_asked), scope)
        elif isinstance(node, exp.Subquery):
            self._query(node, names, demand)
        else:
            self._nested(node, names=names)

    def _table(self, node: exp.Table, names: Mapping[str, Named], demand: Demand, scope: exp.Expr) -> None:
        path = ".".join(part.name for part in node.parts).lower()
        if path in names:
            named = names[path]
            if id(named.query) not in self._open:  # a recursive one names itself
                self._open.append(id(named.query))
                self._query(named.query, named.names, demand if named.passes else nothing_asked)
                self._open.pop()
            return
        view = _of_name(self._views, path)
        if view is not None:
            self._query(sqlglot.parse_one(view, read="bigquery"), {}, demand)
        table = _of_name(self._columns, path)
        if table is not None:
            self.found.append((table[0], demand(table[1]), scope))

    def _nested(self, *nodes: exp.Expr | None, names: Mapping[str, Named]) -> None:
        """The queries within expressions. Which of them hold for a row is known at run time only."""
        for node in nodes:
            if isinstance(node, exp.Query):
                self._query(node, names, nothing_asked)
            elif node is not None:
                self._nested(*(part for _, part in _parts(node)), names=names)

    def _outputs(self, node: exp.Expr, names: Mapping[str, Named]) -> list[str] | None:
        """The names of a query's columns; None where they are a table's."""
        with_ = node.args.get("with_")
        if with_ is not None:
            names = _extended(names, with_)
        if isinstance(node, exp.Subquery | exp.SetOperation):
            return self._outputs(node.this, names)
        outputs: list[str] = []
        for projection in node.expressions:
            if not projection.is_star:
                outputs.append(projection.alias_or_name.lower())
                continue
            inner = self._starred(node, projection, names)
            if inner is None:
                return None
            outputs += inner
        return outputs

    def _starred(self, node: exp.Expr, projection: exp.Expr, names: Mapping[str, Named]) -> list[str] | None:
        from_ = node.args.get("from_")
        if from_ is None or node.args.get("joins"):
            return None
        source = from_.this
        named = names.get(source.name.lower()) if isinstance(source, exp.Table) and not source.db else None
        if named is not None:
            columns = self._outputs(named.query, named.names)
        elif isinstance(source, exp.Subquery) and isinstance(source.this, exp.Query):
            columns = self._outputs(source, names)
        else:
            return None
        hidden = words(star(projection).args.get("except_"))
        return None if columns is None else [column for column in columns if column not in hidden]


def _extended(names: Mapping[str, Named], with_: exp.With) -> Mapping[str, Named]:
    """The names with those of a WITH: each sees those before it, with RECURSIVE all of them."""
    extended = dict(names)
    recursive = bool(with_.args.get("recursive"))
    for cte in with_.expressions:
        seen = extended if recursive else dict(extended)
        extended[cte.alias.lower()] = Named(cte.this, seen, passes=not recursive)
    return extended


def _parts(node: exp.Expr) -> Iterator[tuple[str, exp.Expr]]:
    for key, value in node.args.items():
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, exp.Expr):
                yield key, part


def _of_name(known: Mapping[str, Known], path: str) -> Known | None:
    """What goes by a full name that ends in the path, which has a dataset at least."""
    if "." not in path:
        return None
    return next((value for name, value in known.items() if name == path or name.endswith(f".{path}")), None)
