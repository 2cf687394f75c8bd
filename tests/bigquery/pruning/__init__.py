"""Which partitions a statement reads, as its text alone shows: the literal bounds on each partitioned table that it names.

BigQuery leaves out the partitions that such bounds exclude. What a bound follows from at run time only (a join, a subquery, a
variable) leaves none out, and here too bounds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import sqlglot
from sqlglot import exp

from .bounds import EVERYTHING, TICK, Bounds
from .fragments import fragments
from .scopes import Reader

Side = Literal["lower", "upper"]
SNIPPET = 160


@dataclass(frozen=True)
class Partitioning:
    """A table's partition column: a DATE, or a TIMESTAMP by day."""

    column: str
    kind: Literal["DATE", "TIMESTAMP"] = "DATE"


@dataclass(frozen=True)
class Reference:
    """A place of a statement that reads a partitioned table.

    Days from `lower` to `upper`, both included and None where nothing bounds them, unless `reads_days` is false: then the partition
    of null at most.
    """

    table: str
    lower: date | None
    upper: date | None
    null_partition: bool
    snippet: str
    reads_days: bool = True

    def is_open(self, sides: Iterable[Side] = ("lower", "upper")) -> bool:
        """Does nothing bound it on one of these sides?"""
        return self.reads_days and any(getattr(self, side) is None for side in sides)

    def days(self, first: date | None = None, last: date | None = None) -> int | None:
        """How many days' partitions it reads of a table that has those from `first` to `last`; None where that is not known."""
        if not self.reads_days:
            return 0
        lower = max((day for day in (self.lower, first) if day is not None), default=None)
        upper = min((day for day in (self.upper, last) if day is not None), default=None)
        return None if lower is None or upper is None else max(0, (upper - lower).days + 1)


def references(sql: str, tables: Mapping[str, Partitioning], views: Mapping[str, str] | None = None) -> list[Reference]:
    """Every place of a statement or script that reads a partitioned table, in the order of the text.

    `tables` and `views` (their queries) go by `project.dataset.table`. What a DML statement changes is read, what an INSERT or a
    CREATE writes is not. A statement that cannot be read here but names a partitioned table reads all of it.
    """
    found: list[Reference] = []
    for fragment in fragments(sql):
        try:
            statement = sqlglot.parse_one(fragment, read="bigquery")
        except sqlglot.ParseError:
            statement = exp.Command(this=fragment)
        if isinstance(statement, exp.Command):
            named = [name for name in tables if f"{name.rpartition('.')[2]}".lower() in fragment.lower()]
            found += [_reference(name, tables[name], EVERYTHING, fragment) for name in named]
            continue
        reader = Reader({name: table.column for name, table in tables.items()}, views or {})
        reader.statement(statement)
        found += [_reference(name, tables[name], bounds, scope.sql("bigquery")) for name, bounds, scope in reader.found]
    return found


def unbounded(found: Iterable[Reference], sides: Iterable[Side] = ("lower", "upper")) -> list[Reference]:
    """The references that nothing bounds on one of these sides."""
    return [reference for reference in found if reference.is_open(sides)]


def report(statements: Mapping[str, Iterable[Reference]], first: date | None = None, last: date | None = None) -> str:
    """A table of what each named statement reads; `first` and `last` are the days that the tables have."""
    rows = [("statement", "table", "from", "to", "days", "null", "where")]
    for name, found in statements.items():
        rows += [(name, *_cells(reference, first, last)) for reference in found]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _cells(reference: Reference, first: date | None, last: date | None) -> tuple[str, str, str, str, str, str]:
    days = reference.days(first, last)
    ends = [str(end or "..") if reference.reads_days else "-" for end in (reference.lower, reference.upper)]
    null = "null" if reference.null_partition else ""
    return reference.table, ends[0], ends[1], "all" if days is None else str(days), null, reference.snippet


def _reference(name: str, table: Partitioning, bounds: Bounds, snippet: str) -> Reference:
    lower, upper = bounds.lower, bounds.upper
    if lower is not None and table.kind == "DATE":
        lower += timedelta(days=1) - TICK  # a date after an instant is the next one
    first, last = lower and lower.date(), upper and upper.date()
    none = not bounds.some or (first is not None and last is not None and first > last)
    text = " ".join(snippet.split())
    shown = text if len(text) <= SNIPPET else text[: SNIPPET - 3] + "..."
    if none:
        return Reference(name, None, None, bounds.null, shown, reads_days=False)
    return Reference(name, first, last, bounds.null, shown)
