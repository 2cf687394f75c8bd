"""The sources of one FROM, and which conditions of the query and of those around it hold for the rows of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from .bounds import EVERYTHING, Bounds, both, bounds_of

# What is asked of a query's or table's column of a name, by all conditions outside it that hold for its every row.
Demand = Callable[[str], Bounds]


def nothing_asked(name: str) -> Bounds:
    """No condition is certain to hold."""
    return EVERYTHING


@dataclass
class Source:
    """One table, subquery or array of a FROM, with the conditions that hold for its rows."""

    node: exp.Expr
    conditions: list[exp.Expr] = field(default_factory=list)
    # Whether an outer join may add rows without it, to which no condition of the query itself applies.
    nullable: bool = False

    @property
    def alias(self) -> str:
        """The name that columns may have before their own."""
        return str(self.node.alias_or_name).lower()


def demand_on(
    source: Source, sources: Sequence[Source], joins: Sequence[exp.Join], node: exp.Expr, outer: Demand
) -> Demand:
    """What is asked of a source: by its own conditions, and by those outside that are on columns which pass through."""
    merged = {name for join in joins for name in words(join.args.get("using"))}

    def asked(name: str) -> Bounds:
        def is_column(part: exp.Expr) -> bool:
            if not isinstance(part, exp.Column) or part.is_star or part.name.lower() != name:
                return False
            # Without a table it is of the only source that has it: two would be ambiguous, unless USING makes them one.
            return part.table.lower() == source.alias if part.table else name not in merged or source is sources[0]

        of_conditions = all_of(bounds_of(condition, is_column) for condition in source.conditions)
        passed = all_of(outer(output) for output in _passing(node, source, name, is_column))
        return both(of_conditions, passed)

    return asked


def _passing(node: exp.Expr, source: Source, name: str, is_column: Callable[[exp.Expr], bool]) -> Iterator[str]:
    """The names under which a query gives a source's column on unchanged."""
    for projection in node.expressions if isinstance(node, exp.Select) else []:
        if projection.is_star:
            table = projection.table.lower() if isinstance(projection, exp.Column) else source.alias
            stars = star(projection)
            changed = words(stars.args.get("except_")) | words(stars.args.get("replace"))
            if table == source.alias and name not in changed:
                yield name
        elif is_column(projection.unalias()):
            yield projection.alias_or_name.lower()


def joined(first: exp.Expr, joins: Sequence[exp.Join]) -> list[Source]:
    """The sources of a FROM, with the join conditions that hold for each."""
    sources = [Source(first)]
    for join in joins:
        own = Source(join.this)
        on = join.args.get("on")
        conditions = [on] if on is not None else []
        if join.side in ("RIGHT", "FULL"):
            kept = [] if join.side == "FULL" else [source for source in sources if not source.nullable]
            for source in kept:
                source.conditions += conditions
            for source in sources:
                source.nullable = True
            own.nullable = join.side == "FULL"
        elif join.side == "LEFT":
            own.conditions += conditions
            own.nullable = True
        else:
            for source in [*sources, own]:
                if not source.nullable:
                    source.conditions += conditions
        sources.append(own)
    return sources


def passes_conditions(node: exp.Select) -> bool:
    """Does a condition on the query's rows hold for each row that it reads? Not where rows are grouped, numbered or cut off."""
    if any(node.args.get(key) for key in ("group", "qualify", "distinct")):
        return False
    return not any(
        isinstance(part, exp.Window)
        for projection in node.expressions
        for part in projection.walk(prune=lambda part: isinstance(part, exp.Query))
    )


def star(projection: exp.Expr) -> exp.Expr:
    """The star of `*` or of `table.*`."""
    return projection if isinstance(projection, exp.Star) else projection.this


def words(parts: Sequence[exp.Expr] | None) -> set[str]:
    """Their names."""
    return {part.alias_or_name.lower() for part in parts or []}


def all_of(bounds: Iterable[Bounds]) -> Bounds:
    """What satisfies them all."""
    result = EVERYTHING
    for one in bounds:
        result = both(result, one)
    return result
