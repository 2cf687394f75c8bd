"""What BigQuery would bill a run for: the columns that its statements read, of the partitions that literals leave, by assumed widths.

    python -m benchmarks.bigquery_bytes      # writes the table in docs/bigquery.md; needs the emulator (make emulator)

BigQuery bills a statement for each column that it names of each table, in the partitions that its literals do not exclude, once however
often the table is named. It bills a DELETE for all columns of what it deletes from. How many rows a table has, and how wide its columns
are, is assumed below.
"""

from __future__ import annotations

import argparse
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.pushdown_projections import pushdown_projections
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import traverse_scope
from sqlglot.schema import MappingSchema

from benchmarks.bigquery_run import FIRST_DAY, Caught, catch
from sessionization_dagster.identity.store.layouts import TABLES as IDENTITY_TABLES
from sessionization_dagster.user_agents.user_agent_table import TABLES as USER_AGENT_TABLES
from tests.bigquery.driver import DATASET
from tests.bigquery.emulator import PROJECT
from tests.bigquery.pruning import Partitioning, references
from tests.bigquery.pruning.fragments import fragments

PAGE = Path(__file__).resolve().parents[1] / "docs" / "bigquery.md"
MARKS = ("<!-- bytes: written by benchmarks/bigquery_bytes.py -->\n", "<!-- /bytes -->")
DAYS = 730
EVENTS = 1_000_000
TERA = 10**12

VISITORS = EVENTS // 10
#: Rows of one day, by what a row is (the models' meta.grain).
A_DAY = {
    "event": EVENTS,
    "raw_row": EVENTS // 100,
    "call": EVENTS // 20,
    "session": EVENTS // 8,
    "visitor_and_day": VISITORS,
    "client_user_session_and_day": EVENTS // 7,
    "edge": EVENTS // 9,
    "conversion": EVENTS // 100,
    "conversion_and_touch": EVENTS // 40,
    "stage": EVENTS // 20,
}
#: Rows in all of what there is one of for all time.
IN_ALL = {
    "visitor": 20 * EVENTS,
    "client": 25 * EVENTS,
    "client_and_user": 27 * EVENTS,
    "alias": 27 * EVENTS,
    "user_agent": 100_000,
}
#: Rows of any other table: summaries.
FEW = 1_000
#: Rows of tables in the schema internal, by the end of their names: in all, and of one day.
INTERNAL = {
    "__frontier": VISITORS,
    "__requests": DAYS * VISITORS,
    "change_queue": 2 * VISITORS,
    "__state": IN_ALL["visitor"],
    "identity_pairs": IN_ALL["alias"],
}
INTERNAL_A_DAY = {"__set_aside": EVENTS // 100, "identity_edges": A_DAY["edge"], "user_agent_days": 10_000}

#: Bytes of a row of a raw table, all of its declared columns.
RAW_ROW = 430
#: Bytes of a value, by its type; texts by what their columns' names match. The first that fits counts.
FIXED = {"INT64": 8, "FLOAT64": 8, "TIMESTAMP": 8, "DATE": 8, "BOOL": 1, "NUMERIC": 16, "BIGNUMERIC": 32}
TEXTS = {
    r"^raw$": 500,
    r"records": 900,
    r"properties|user_agent": 120,
    r"url|referrer": 55,
    r"(^|_)(id|key|ids|entity|alias)$": 38,
    r"path|title|search": 18,
    r"utm_|campaign": 3,
    r"": 12,
}


@dataclass(frozen=True)
class Read:
    """What a statement reads of one table.

    Attributes:
        table: project.dataset.table.
        columns: that it names; of a table that it changes, all.
        days: of which partitions; None: of a table without.
    """

    table: str
    columns: frozenset[str]
    days: int | None


class Estimate:
    """Bytes of statements, by the tables that they were sent to."""

    def __init__(self, caught: Caught) -> None:
        self._caught = caught
        self._views = {name: query for text in caught.whole for name, query in _views(text)}
        self.unread: list[str] = []

    @cached_property
    def _partitions(self) -> dict[str, Partitioning]:
        found = {name: Partitioning("received_at", "TIMESTAMP") for name in self._caught.tables if _is_raw(name)}
        for layout in (*IDENTITY_TABLES, *USER_AGENT_TABLES):
            if layout.partitioned_by:
                found[f"{PROJECT}.{DATASET}_{layout.schema}.{layout.name}"] = Partitioning(layout.partitioned_by)
        for text in self._caught.whole:
            for name, moment, day in _DIVIDED.findall(text):
                found[name.replace("`", "")] = Partitioning(day) if day else Partitioning(moment, "TIMESTAMP")
        return found

    def columns_of(self, table: str) -> Mapping[str, str]:
        """Column -> type; of what a run writes apart for a model the model's."""
        name = table.rpartition(".")[2]
        if name.endswith("__this_run"):
            table = self._caught.models[name.removesuffix("__this_run")]
        return self._caught.tables.get(table, {})

    def reads(self, text: str) -> Iterator[Read]:
        """What a statement or script reads, table by table and statement by statement."""
        for fragment in fragments(text):
            try:
                statement = sqlglot.parse_one(fragment, read="bigquery")
            except sqlglot.ParseError:
                self.unread.append(fragment[:200])
                continue
            if isinstance(statement, exp.Create) and statement.kind != "TABLE":
                continue
            days: defaultdict[str, set[date]] = defaultdict(set)
            for reference in references(fragment, self._partitions, self._views):
                days[reference.table] |= set(
                    self._days(reference.lower, reference.upper) if reference.reads_days else []
                )
            for table, columns in self._columns(statement).items():
                is_divided = table in self._partitions
                yield Read(table, frozenset(columns), len(days[table]) if is_divided else None)

    def _days(self, lower: date | None, upper: date | None) -> Iterator[date]:
        first, last = FIRST_DAY, self._caught.ordinary_day + timedelta(days=1)
        day = max(lower or first, first)
        while day <= min(upper or last, last):
            yield day
            day += timedelta(days=1)

    def _columns(self, statement: exp.Expr) -> dict[str, set[str]]:
        """Table -> the columns that are read of it, those of a table whose rows are deleted or updated all."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        if isinstance(statement, exp.Delete | exp.Update | exp.Merge):
            target = statement.find(exp.Table)
            assert target is not None
            found[_name(target)] |= set(self.columns_of(_name(target)))
        for query in _queries(statement):
            for table, columns in self._columns_of_query(query).items():
                found[table] |= columns
        return found

    def _columns_of_query(self, query: exp.Query) -> dict[str, set[str]]:
        expanded = self._with_views(query.copy())
        found: defaultdict[str, set[str]] = defaultdict(set)
        try:
            qualified = qualify(
                expanded,
                schema=self._schema,
                dialect="bigquery",
                validate_qualify_columns=False,
                quote_identifiers=False,
            )
            for scope in traverse_scope(pushdown_projections(qualified)):
                for alias, source in scope.sources.items():
                    if isinstance(source, exp.Table):
                        found[_name(source)] |= {column.name for column in scope.columns if column.table == alias}
        except SqlglotError:
            # Too much rather than too little.
            self.unread.append(query.sql("bigquery"))
            for table in expanded.find_all(exp.Table):
                found[_name(table)] |= set(self.columns_of(_name(table)))
        return found

    def _with_views(self, query: exp.Expr) -> exp.Expr:
        while views := [table for table in query.find_all(exp.Table) if _name(table) in self._views]:
            for table in views:
                text = self._views[_name(table)]
                inner = sqlglot.parse_one(text, read="bigquery")
                table.replace(
                    exp.Subquery(this=inner, alias=exp.TableAlias(this=exp.to_identifier(table.alias_or_name)))
                )
        return query

    @cached_property
    def _schema(self) -> MappingSchema:
        schema = MappingSchema(dialect="bigquery")
        this_run = [f"{PROJECT}.{DATASET}_internal.{model}__this_run" for model in self._caught.models]
        for name in (*self._caught.tables, *this_run):
            catalog, dataset, table = name.split(".")
            schema.add_table(exp.table_(table, dataset, catalog), dict.fromkeys(self.columns_of(name), "STRING"))
        return schema

    def bytes_of(self, read: Read) -> int:
        """By the assumed rows and widths."""
        types = self.columns_of(read.table)
        if _is_raw(read.table):
            return self.rows_of(read) * RAW_ROW * len(read.columns) // max(1, len(types))
        return self.rows_of(read) * sum(width_of(name, types.get(name, "INT64")) for name in read.columns)

    def rows_of(self, read: Read) -> int:
        """How many rows the table has in what is read of it."""
        name, grain = read.table.rpartition(".")[2], self._caught.grains.get(read.table, "")
        days = self._caught.days if read.days is None else read.days
        if _is_raw(read.table):
            # One table has all calls.
            return days * EVENTS if name == "tracks" else 0
        if name.endswith("__this_run"):
            return A_DAY.get(self._caught.grains.get(self._caught.models[name.removesuffix("__this_run")], ""), FEW)
        if "_internal." in read.table:
            of_day = next((rows for end, rows in INTERNAL_A_DAY.items() if name.endswith(end)), 0)
            return of_day * days or next((rows for end, rows in INTERNAL.items() if name.endswith(end)), FEW)
        return IN_ALL.get(grain) or A_DAY.get(grain, FEW) * days


_DIVIDED = re.compile(r"create or replace table (\S+)\s+partition by (?:timestamp_trunc\((\w+), day\)|(\w+))", re.I)
_VIEW = re.compile(r"create or replace view (\S+)\s+options\(\)\s+as(.*)", re.I | re.S)
_NODE = re.compile(r'"(?:asset|check)": "([^"]+)"')


def _views(text: str) -> Iterator[tuple[str, str]]:
    for name, query in _VIEW.findall(text):
        yield name.replace("`", "").rstrip(), query


def _is_raw(table: str) -> bool:
    return ".vendor_" in table


def _name(table: exp.Table) -> str:
    return ".".join(part.name for part in table.parts)


def _queries(statement: exp.Expr) -> Iterator[exp.Query]:
    """The queries of a statement that are in no other."""
    if isinstance(statement, exp.Query):
        yield statement
        return
    for child in statement.iter_expressions():
        yield from _queries(child)


def width_of(column: str, kind: str) -> int:
    """Assumed bytes of a value."""
    return FIXED.get(kind) or next(width for pattern, width in TEXTS.items() if re.search(pattern, column))


def added_up(estimate: Estimate, statements: Iterable[str], key: Callable[[str, Read], str]) -> dict[str, int]:
    """Key -> bytes, the most first."""
    found: defaultdict[str, int] = defaultdict(int)
    for text in statements:
        node = _NODE.search(text)
        for read in estimate.reads(text):
            found[key(node[1] if node else "", read)] += estimate.bytes_of(read)
    return dict(sorted(found.items(), key=lambda entry: -entry[1]))


def written(caught: Caught, estimate: Estimate) -> str:
    """The estimate as markdown."""
    long_ago = f"the tables, of a day on which a device of {caught.days} days before logs in"
    runs = {
        "the tables, of an ordinary day": caught.ordinary,
        "the checks on it": caught.checks,
        "the report after it": caught.report,
        long_ago: caught.login,
    }
    models = [text for text in caught.ordinary if _NODE.search(text)]
    lines = [
        f"At {EVENTS:,} events a day and {caught.days} days of history, in TB (10^12 bytes):",
        "",
        "| a run of | jobs | TB | of raw tables | of the most read tables |",
        "| --- | ---: | ---: | ---: | --- |",
    ]
    for name, statements in runs.items():
        found = added_up(estimate, statements, lambda _, read: "raw" if _is_raw(read.table) else short(read.table))
        raw = found.pop("raw", 0)
        most = ", ".join(f"`{place}` {_tera(size)}" for place, size in list(found.items())[:4])
        lines.append(f"| {name} | {len(statements)} | {_tera(raw + sum(found.values()))} | {_tera(raw)} | {most} |")
    named = {match[1] for text in models if (match := _NODE.search(text))}
    return "\n".join(
        [
            *lines,
            "",
            f"Of the {len(caught.ordinary)} jobs of an ordinary day {len(models)} are of {len(named)} models.",
            "",
        ]
    )


def short(name: str) -> str:
    """schema.table of project.dataset.table."""
    dataset, _, table = name.rpartition(".")
    return f"{dataset.rpartition('_')[2] if '_measure_js' not in dataset else 'measure_js'}.{table}"


def _tera(size: int) -> str:
    return f"{size / TERA:.3f}"


def main() -> None:
    """Catch the statements, or read those that were caught, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--caught", type=Path, help="a file of statements: read if it is there, else written")
    parser.add_argument(
        "--show", action="store_true", help="print, and leave the page alone; by model and table besides"
    )
    arguments = parser.parse_args()
    if arguments.caught and arguments.caught.exists():
        caught = Caught.read(arguments.caught)
    else:
        caught = catch(DAYS)
        if arguments.caught:
            caught.write(arguments.caught)
    estimate = Estimate(caught)
    text = written(caught, estimate)
    print(text)
    if arguments.show:
        for name, statements in (("ordinary", caught.ordinary), ("checks", caught.checks), ("login", caught.login)):
            entries = added_up(estimate, statements, lambda node, read: f"{node} {short(read.table)} {read.days}")
            for entry, size in list(entries.items())[:25]:
                print(f"{name:9} {_tera(size)} {entry}")
        print(f"{len(estimate.unread)} queries beyond sqlglot", *estimate.unread[:5], sep="\n")
        return
    page = PAGE.read_text()
    before, rest = page.split(MARKS[0])
    PAGE.write_text(before + MARKS[0] + text + MARKS[1] + rest.split(MARKS[1], 1)[1])


if __name__ == "__main__":
    main()
