"""Erases a person from raw rows whose file was removed from the folder. The warehouse has the only copy of them. SQL of DuckDB.

Ids are compared in Python or passed as parameters, never in a statement: an error may quote the statement, and end up in a log.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from typing import Any

from sessionization_dagster.erasure.changes import Changes, Outcome
from sessionization_dagster.erasure.ids import Ids, as_id
from sessionization_dagster.erasure.person import rows_of
from sessionization_dagster.landing import RawTable
from sessionization_dagster.landing.ledger import qualified
from sessionization_dagster.warehouses.duckdb import DuckDBConnection
from sessionization_dagster.warehouses.quoting import identifier

_OF_ROWS = "source_file = $file and source_row in (select unnest($rows::bigint[]))"


def erase_kept_rows(
    connection: DuckDBConnection,
    tables: Sequence[RawTable],
    source_file: str,
    changes: Changes,
    ids: Ids,
    settle: Callable[[Outcome], None],
) -> Outcome:
    """Remove and blank the rows of one file in the raw tables, and remove its rejects that name the person.

    settle is called with the outcome just before. If the file is put back later, it is read again, because the rows no longer match it.
    """
    of_file = {"file": source_file}
    doomed = of_file | {"rows": sorted(changes.remove)}
    blanks = [(table, row) for table in tables for row in _blanked_rows(connection, table, source_file, changes, ids)]
    lines = _named_rejects(connection, source_file, changes, ids)
    removed = sum(_count(connection, f"{qualified(table)} where {_OF_ROWS}", doomed) for table in tables)
    outcome = Outcome(removed, len(lines), len(blanks))
    if not outcome.is_change:
        return outcome
    settle(outcome)
    with connection.transaction():
        for table, row in blanks:
            names = [name for name in row if name != "source_row"]
            values = ", ".join(f"{identifier(name)} = ?" for name in names)
            connection.native.execute(
                f"update {qualified(table)} set {values} where source_file = ? and source_row = ?",
                [*(row[name] for name in names), source_file, row["source_row"]],
            )
        for table in tables:
            connection.native.execute(f"delete from {qualified(table)} where {_OF_ROWS}", doomed)
        connection.native.execute(
            "delete from raw.landing_rejects where source_file = $file and source_line in (select unnest($rows::bigint[]))",
            of_file | {"rows": lines},
        )
        connection.native.execute(
            "update raw.landed_files set modified_ns = null, row_count = row_count - $removed, reject_count = reject_count - $rejects "
            "where source_file = $file",
            of_file | {"removed": removed, "rejects": len(lines)},
        )
    return outcome


def _blanked_rows(
    connection: DuckDBConnection, table: RawTable, source_file: str, changes: Changes, ids: Ids
) -> list[dict[str, Any]]:
    """Other people's rows that name the person: for each row its number and the columns that change."""
    wanted = {"file": source_file, "rows": sorted(changes.blank)}
    rows = rows_of(connection, f"select * exclude (source_file) from {qualified(table)} where {_OF_ROWS}", wanted)
    texts = {column.name for column in table.columns if column.type == "JSON"} | {"properties"}
    found = []
    for row in rows:
        own = changes.blank[row["source_row"]]
        blanked = {
            name: ids.blanked_json(value, own) if name in texts and value is not None else ids.blanked(value, own)
            for name, value in row.items()
            if name != "source_row"
        }
        changed = {name: value for name, value in blanked.items() if value != row[name]}
        if changed:
            found.append(changed | {"source_row": row["source_row"]})
    return found


def _named_rejects(connection: DuckDBConnection, source_file: str, changes: Changes, ids: Ids) -> list[int]:
    """The lines of records that could not be landed and that name the person, if their text was kept."""
    rows = rows_of(
        connection,
        "select source_line, content from raw.landing_rejects "
        "where source_file = $file and source_line is not null and content is not null",
        {"file": source_file},
    )
    return [
        row["source_line"]
        for row in rows
        if row["source_line"] in changes.suspects
        and (ids.are_in(row["content"]) or any(as_id(value) in ids.ordinary for value in _values(row["content"])))
    ]


def _values(content: str) -> list[str]:
    """The possible values of a record that could not be read: the texts between commas, colons and quotes."""
    fields = next(csv.reader([content.replace("\n", " ").replace("\r", " ")]), [])
    return [part.strip(' "{}') for field in fields for part in (field, *field.split(":"))]


def _count(connection: DuckDBConnection, of: str, parameters: dict[str, Any]) -> int:
    (row,) = rows_of(connection, f"select count(*) as n from {of}", parameters)
    return int(row["n"])
