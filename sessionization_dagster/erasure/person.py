"""Finds a person's ids in the warehouse, and the records of landed files that are theirs or name them. SQL of DuckDB.

Ids are passed as bound rows and parameters, never as part of a statement: an error may quote the statement, and end up in a log.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from sessionization_dagster.erasure.changes import Changes
from sessionization_dagster.erasure.ids import Ids
from sessionization_dagster.landing.rows import MAX_CONTENT_CHARACTERS
from sessionization_dagster.warehouses.duckdb import DuckDBConnection

SUBJECT = "subject"
#: How many fields of a folder's rows are sampled to find the columns that name the visitor.
SAMPLED_FIELDS = 50_000


@dataclass(frozen=True)
class Plan:
    """The changes to make.

    Attributes:
        files: file below the landing folder -> changes of its records.
        days: dates in the reporting timezone whose tables these changes affect.
    """

    files: Mapping[str, Changes]
    days: frozenset[date]

    @property
    def removed(self) -> int:
        """The number of the person's rows."""
        return sum(len(changes.remove) for changes in self.files.values())

    @property
    def blanked(self) -> int:
        """The number of other people's rows that may name the person."""
        return sum(len(changes.blank) for changes in self.files.values())


def rows_of(
    connection: DuckDBConnection, sql: str, parameters: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """The rows of a query with named parameters."""
    cursor = connection.native.execute(sql, parameters or {})
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def aliases_of(connection: DuckDBConnection, identifier: str) -> list[str]:
    """All ids of the person with this id; empty if the identity graph does not know it, or does not exist yet."""
    if not connection.has_table("core", "identity_graph"):
        return []
    found = rows_of(
        connection,
        """
        select alias from core.identity_graph
        where dbt_visitor_id in (select dbt_visitor_id from core.identity_graph where alias = $id)""",
        {"id": identifier},
    )
    return [row["alias"] for row in found]


def bind_subject(connection: DuckDBConnection, ids: Ids) -> None:
    """Make the ids readable as the table `subject` (alias, is_ordinary), until the connection closes."""
    aliases = sorted(ids.values)
    rows = pa.table(
        {"alias": pa.array(aliases, pa.string()), "is_ordinary": [alias in ids.ordinary for alias in aliases]}
    )
    connection.register(SUBJECT, rows)


def names_id(texts: Iterable[str], ids: Ids) -> tuple[str, dict[str, Any]]:
    """A condition that one of the SQL texts contains a distinct id, and the condition's parameters."""
    if ids.pattern is None:
        return "false", {}
    # A plain search for the ids excludes nearly all rows before the pattern is applied.
    forms = {f"form_{place}": form for place, form in enumerate(ids.forms)}
    conditions = [
        f"(({' or '.join(f'contains({text}, ${name})' for name in forms)}) and regexp_matches({text}, $pattern))"
        for text in texts
    ]
    return f"({' or '.join(conditions)})", {**forms, "pattern": ids.pattern}


def plan(connection: DuckDBConnection, staging: Sequence[str], ids: Ids) -> Plan:
    """Find the records. staging: the views that stage raw rows. The raw tables must match the files, and `subject` must be bound."""
    mentions, parameters = names_id(["cast(raw as varchar)"], ids)
    staged = " union all ".join(
        f"select alias, anonymous_id, user_id, previous_id, event_date, raw from {view}" for view in staging
    )
    connection.native.execute(
        f"""
        create or replace temp table found as
        select
            json_extract_string(raw, '$.source_file') as source_file,
            cast(json_extract(raw, '$.source_row') as bigint) as source_row,
            event_date, anonymous_id, user_id, previous_id, raw, is_own
        from (
            select
                *,
                coalesce(alias in (select alias from {SUBJECT}), false)
                    or coalesce(previous_id in (select alias from {SUBJECT}), false) as is_own
            from ({staged}) as staged
        ) as judged
        where is_own or anonymous_id in (select alias from {SUBJECT}) or {mentions}""",
        parameters,
    )
    suspects = _suspects(connection, ids)
    own = rows_of(connection, "select source_file, source_row from found where is_own")
    others = rows_of(
        connection,
        f"select source_file, source_row, anonymous_id in (select alias from {SUBJECT}) as is_id, anonymous_id "
        "from found where not is_own",
    )
    id_columns = _id_columns(connection, staged, suspects) if ids.ordinary else {}
    remove: defaultdict[str, set[int]] = defaultdict(set)
    blank: defaultdict[str, dict[int, frozenset[str]]] = defaultdict(dict)
    for row in own:
        remove[row["source_file"]].add(row["source_row"])
    for row in others:
        named = {row["anonymous_id"]} & ids.ordinary if row["is_id"] else set()
        blank[row["source_file"]][row["source_row"]] = frozenset(named)
    files = {
        name: Changes(
            frozenset(remove[name]),
            blank[name],
            frozenset(suspects[name]),
            frozenset(id_columns.get(_folder(name), ())),
        )
        for name in sorted({*remove, *blank, *suspects})
    }
    return Plan(files, frozenset(_days(connection, list(files))))


def _folder(source_file: str) -> str:
    """<source>/<table> of a file."""
    return "/".join(source_file.split("/")[:2])


def _suspects(connection: DuckDBConnection, ids: Ids) -> defaultdict[str, set[int]]:
    """File -> lines of records that could not be landed and may name the person. The file's own text decides."""
    mentions, parameters = names_id(["content"], ids)
    found: defaultdict[str, set[int]] = defaultdict(set)
    for row in rows_of(
        connection,
        f"""
        select source_file, source_line from raw.landing_rejects
        where source_line is not null and (
            {mentions} or length(content) >= {MAX_CONTENT_CHARACTERS}
            or exists (select 1 from {SUBJECT} as s where s.is_ordinary and contains(content, s.alias))
        )""",
        parameters,
    ):
        found[row["source_file"]].add(row["source_line"])
    return found


def _id_columns(connection: DuckDBConnection, staged: str, files: Iterable[str]) -> dict[str, set[str]]:
    """Folder of these files -> the raw columns that hold the ids of visitors, as a sample of its sound rows shows."""
    found = {}
    for folder in {_folder(name) for name in files}:
        rows = rows_of(
            connection,
            f"""
            select key
            from (
                select anonymous_id, user_id, previous_id, raw, unnest(json_keys(raw)) as key
                from ({staged}) as staged
                where starts_with(json_extract_string(raw, '$.source_file'), $folder)
                limit {SAMPLED_FIELDS}
            ) as fields
            group by key
            having
                (count(anonymous_id) > 0 and bool_and(anonymous_id is null or anonymous_id = (raw ->> key)))
                or (count(user_id) > 0 and bool_and(user_id is null or user_id = (raw ->> key)))
                or (count(previous_id) > 0 and bool_and(previous_id is null or previous_id = (raw ->> key)))""",
            {"folder": f"{folder}/"},
        )
        found[folder] = {row["key"].lower() for row in rows}
    return found


def _days(connection: DuckDBConnection, files: list[str]) -> list[date]:
    """The days of the found rows, of rows that tables still hold, and of rejected rows whose position in a file changes."""
    days = rows_of(
        connection,
        f"""
        select event_date as day from found
        union
        select event_date from internal.identity_edges
        where
            anonymous_id in (select alias from {SUBJECT}) or user_id in (select alias from {SUBJECT})
            or previous_id in (select alias from {SUBJECT})
        union
        select event_date from core.rejected_events
        where reason <> 'unreadable' and json_extract_string(raw, '$.source_file') in (select unnest($files::varchar[]))""",
        {"files": files},
    )
    return [row["day"] for row in days if row["day"] is not None]
