"""The tables of landed rows, rejects and landed files. No file is opened here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb

from sessionization_dagster.landing.data_file import LandedFile
from sessionization_dagster.landing.landing_report import REJECTS_SHOWN_PER_FILE, Reject
from sessionization_dagster.landing.tables import OWN_COLUMNS, RawTable
from sessionization_dagster.warehouses.duckdb import transaction
from sessionization_dagster.warehouses.quoting import identifier, literal

LOADED = "loaded"
UNREADABLE = "unreadable"
#: The file was removed from the folder, and its rows are kept.
REMOVED = "removed"
#: In the journal: rows of the file were removed. The value is in people's journals already.
ROWS_REMOVED = "withdrawn"

_CREATE = """
create schema if not exists raw;
create table if not exists raw.landing_rejects (
    source varchar, table_name varchar, source_file varchar, source_line bigint, error varchar, content varchar,
    landed_at timestamp
);
create table if not exists raw.landed_files (
    source varchar, table_name varchar, source_file varchar, size_bytes bigint, modified_ns bigint, status varchar,
    row_count bigint, reject_count bigint, landed_at timestamp
);
create table if not exists raw.landing_changes (
    change_id bigint, source varchar, table_name varchar, source_file varchar, change varchar, day date, row_count bigint,
    landed_at timestamp
);
"""
_OF_TABLE = "source = $source and table_name = $table"
_IN_FILES = "source_file in (select unnest($files))"


@dataclass(frozen=True)
class Entry:
    """The ledger's entry of a file.

    `modified_ns` is None if the file must be read again although it may be unchanged.
    """

    size_bytes: int
    modified_ns: int | None
    status: str

    def describes(self, file: LandedFile) -> bool:
        """Whether the file is unchanged since it was landed."""
        return (self.size_bytes, self.modified_ns) == (file.size_bytes, file.modified_ns)


def qualified(table: RawTable) -> str:
    """The raw table's SQL name."""
    return f"raw.{identifier(table.name)}"


def prepare_lists(session: duckdb.DuckDBPyConnection) -> None:
    """Creates the lists of files, changes and rejects if they are missing."""
    with transaction(session):
        session.execute(_CREATE)


def prepare(session: duckdb.DuckDBPyConnection, tables: Sequence[RawTable]) -> None:
    """Creates missing tables. If a table's declaration changed, its files are read again, so that it equals a new table."""
    with transaction(session):
        session.execute(_CREATE)
        for table in tables:
            _prepare_table(session, table)


def _prepare_table(session: duckdb.DuckDBPyConnection, table: RawTable) -> None:
    """Brings one table to its declared columns."""
    declared = {column.name: column.type for column in table.columns} | OWN_COLUMNS
    found = session.execute(
        "select lower(column_name), data_type from duckdb_columns() "
        "where database_name = current_database() and schema_name = 'raw' and table_name = ? order by column_index",
        [table.name],
    ).fetchall()
    existing, wanted = dict(found), {name.lower(): data_type for name, data_type in declared.items()}
    # New columns come last, as if they were added to the table.
    places = {name: place for place, name in enumerate(existing)}
    declared = dict(sorted(declared.items(), key=lambda item: places.get(item[0].lower(), len(places))))
    columns = ", ".join(f"{identifier(name)} {data_type}" for name, data_type in declared.items())
    if not existing:
        session.execute(f"create table {qualified(table)} ({columns})")
    elif not entries(session, table):
        # Rows without an entry in the ledger would be loaded a second time.
        session.execute(f"delete from {qualified(table)}")
    if existing and existing != wanted:
        before = f"raw.{identifier(table.name + '__before')}"
        session.execute(f"alter table {qualified(table)} rename to {identifier(table.name + '__before')}")
        session.execute(f"create table {qualified(table)} ({columns})")
        session.execute(f"insert into {qualified(table)} select {_converted(declared, existing)} from {before}")
        session.execute(f"drop table {before}")
    if existing != wanted:
        # The files have the values of a new column. Until now these were among the properties.
        session.execute(f"update raw.landed_files set modified_ns = null where {_OF_TABLE}", _keys(table))


def _converted(declared: Mapping[str, str], existing: Mapping[str, str]) -> str:
    """SQL for the declared columns over rows with the former columns. Rows of removed files can be converted only in this way.

    A column that is no longer declared becomes a property. A property that is now declared becomes a column.
    """
    others = "coalesce(properties, '{}')" if "properties" in existing else "'{}'"
    dropped = [name for name in existing if name not in {column.lower() for column in declared}]
    patches = (
        [f"json_object({', '.join(f'{literal(name)}, {identifier(name)}' for name in dropped)})"] if dropped else []
    )
    values = []
    for name, data_type in declared.items():
        if name == "properties":
            values.append("null")  # its place; known once all columns are
        elif name.lower() in existing:
            values.append(f"try_cast({identifier(name)} as {data_type})")
        elif name in OWN_COLUMNS:
            values.append("null")
        else:
            read = "json_extract" if data_type == "JSON" else "json_extract_string"
            values.append(f"try_cast({read}({others}, {literal(_pointer(name))}) as {data_type})")
            patches.append(f"json_object({literal(name)}, null)")
    merged = f"json_merge_patch({', '.join([others, *patches])})" if patches else others
    # Null if empty, as the landing writes a row without other columns.
    values[list(declared).index("properties")] = f"nullif({merged}, '{{}}')"
    return ", ".join(values)


def entries(session: duckdb.DuckDBPyConnection, table: RawTable) -> dict[str, Entry]:
    """The table's landed files by path."""
    rows = session.execute(
        f"select source_file, size_bytes, modified_ns, status from raw.landed_files where {_OF_TABLE}", _keys(table)
    ).fetchall()
    return {source_file: Entry(*rest) for source_file, *rest in rows}


def _pointer(name: str) -> str:
    """A key of a JSON object as a JSON pointer."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def set_status(session: duckdb.DuckDBPyConnection, table: RawTable, files: Sequence[str], status: str) -> None:
    """Note that files were removed and their rows kept, or that the files are back."""
    session.execute(
        f"update raw.landed_files set status = $status where {_OF_TABLE} and {_IN_FILES}",
        _keys(table) | {"files": list(files), "status": status},
    )


def row_counts(session: duckdb.DuckDBPyConnection, table: RawTable) -> dict[str, tuple[int, int]]:
    """File -> (rows, rejects) that it gave the table."""
    query = f"select source_file, row_count, reject_count from raw.landed_files where {_OF_TABLE}"
    return {name: (rows, rejects) for name, rows, rejects in session.execute(query, _keys(table)).fetchall()}


def counted(session: duckdb.DuckDBPyConnection, table: RawTable, files: Sequence[str]) -> dict[str, tuple[int, int]]:
    """File -> (rows, rejects) that the table has of it, for files that were just loaded."""
    of_files = f"{_IN_FILES} group by 1"
    rows = f"select source_file, count(*) from {qualified(table)} where {of_files}"
    rejects = f"select source_file, count(*) from raw.landing_rejects where {_OF_TABLE} and {of_files}"
    row_counts = dict(session.execute(rows, {"files": list(files)}).fetchall())
    reject_counts = dict(session.execute(rejects, _keys(table) | {"files": list(files)}).fetchall())
    return {name: (row_counts.get(name, 0), reject_counts.get(name, 0)) for name in files}


def same_rows(session: duckdb.DuckDBPyConnection, table: RawTable, one: str, other: str) -> bool:
    """Whether two files gave the table the same rows and the same rejects. Both may have no rows, such as calls of other types."""
    rows = f"select * exclude (source_file) from {qualified(table)} where source_file = $file"
    rejects = f"select source_line, error, content from raw.landing_rejects where {_OF_TABLE} and source_file = $file"

    def differ(query: str, keys: dict[str, object]) -> bool:
        first, second = query.replace("$file", "$one"), query.replace("$file", "$other")
        both = f"({first} except all {second}) union all ({second} except all {first})"
        return session.execute(f"{both} limit 1", keys | {"one": one, "other": other}).fetchone() is not None

    return not differ(rows, {}) and not differ(rejects, _keys(table))


def remove_rows(session: duckdb.DuckDBPyConnection, table: RawTable, files: Sequence[str]) -> None:
    """Removes all rows and rejects of these files."""
    session.execute(f"delete from {qualified(table)} where {_IN_FILES}", {"files": list(files)})
    for name in ("landing_rejects", "landed_files"):
        session.execute(
            f"delete from raw.{name} where {_OF_TABLE} and {_IN_FILES}", _keys(table) | {"files": list(files)}
        )


def note_changes(
    session: duckdb.DuckDBPyConnection,
    table: RawTable,
    files: Sequence[str],
    change: str,
    landed_at: datetime,
    timezone: str,
) -> None:
    """Write into the journal the days that have rows of these files, which were just loaded or are about to be removed.

    Days are dates of the timezone. Rows without a day are left out, because every run reads them.
    """
    day = day_of(table, timezone)
    if day is None:
        return
    session.execute(
        f"""insert into raw.landing_changes
        select
            (select coalesce(max(change_id), 0) from raw.landing_changes) + row_number() over (order by source_file, day),
            $source, $table, source_file, $change, day, row_count, $landed_at
        from (
            select source_file, {day} as day, count(*) as row_count from {qualified(table)} where {_IN_FILES} group by all
        )
        where day is not null""",
        {**_keys(table), "files": list(files), "change": change, "landed_at": landed_at},
    )


def day_of(table: RawTable, timezone: str) -> str | None:
    """SQL for the day that a raw row belongs to; None for a table whose rows have no time."""
    at = moment_of(table)
    if at is None:
        return None
    # In timezones other than UTC, the first and the last moments that a raw row can have are in years that Python does not support.
    known = f"({at}) between timestamp '0001-01-02' and timestamp '9999-12-30'"
    return f"case when {known} then cast(timezone({literal(timezone)}, timezone('UTC', {at})) as date) end"


def moment_of(table: RawTable) -> str | None:
    """SQL for the moment that dates a raw row, in UTC; None for a table whose rows have no time.

    The rule is that of staging (stage_events.sql): the row's own time, or the time of its arrival if its own is missing or impossible.
    """
    own = own_moment_of(table)
    return f"coalesce({own}, received_at)" if _notes_arrival(table) else own


def own_moment_of(table: RawTable) -> str | None:
    """Like moment_of, but null for a row that is dated by its arrival. Such a row is rejected, whatever its day."""
    if table.at is None:
        return None
    at = time_of(table)
    return (
        f"case when coalesce({at} <= received_at + interval 1 day, true) then {at} end" if _notes_arrival(table) else at
    )


def time_of(table: RawTable) -> str:
    """DuckDB's SQL for the value of the column `at` as a timestamp. The table must have such a column."""
    assert table.at is not None
    at = identifier(table.at)
    if not table.counts_time:
        return at
    whole = f"{at}::bigint"
    return (
        f"case when {at} between -99999999999 and 99999999999 then make_timestamp({whole} * 1000000) "
        f"when {at} between -99999999999999 and 99999999999999 then make_timestamp({whole} * 1000) "
        f"when {at} between -99999999999999999 and 99999999999999999 then make_timestamp({whole}) end"
    )


def _notes_arrival(table: RawTable) -> bool:
    names = {column.name.lower() for column in table.columns}
    return table.at is not None and "received_at" in names - {table.at.lower()}


def record(
    session: duckdb.DuckDBPyConnection,
    table: RawTable,
    file: LandedFile,
    entry: Entry,
    counts: tuple[int, int],
    landed_at: datetime,
) -> None:
    """Writes the file into the ledger; `counts` are its (rows, rejects)."""
    values = [entry.size_bytes, entry.modified_ns, entry.status, *counts, landed_at]
    session.execute(
        "insert into raw.landed_files values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [table.source, table.table, file.source_file, *values],
    )


def reject_file(
    session: duckdb.DuckDBPyConnection, table: RawTable, file: LandedFile, error: str, landed_at: datetime
) -> None:
    """Notes a whole file as unreadable."""
    session.execute(
        "insert into raw.landing_rejects values (?, ?, ?, null, ?, null, ?)",
        [table.source, table.table, file.source_file, error, landed_at],
    )


def rejects(session: duckdb.DuckDBPyConnection, table: RawTable, files: Sequence[str]) -> list[Reject]:
    """The first rejects of each of the files, in file order."""
    rows = session.execute(
        f"select source_file, source_line, error from raw.landing_rejects where {_OF_TABLE} and {_IN_FILES} "
        "qualify row_number() over (partition by source_file order by source_line) <= $most "
        "order by source_file, source_line",
        _keys(table) | {"files": list(files), "most": REJECTS_SHOWN_PER_FILE},
    ).fetchall()
    return [Reject(*row) for row in rows]


def reject_count(session: duckdb.DuckDBPyConnection, table: RawTable) -> int:
    """How many rejects the table has, from any run."""
    row = session.execute(f"select count(*) from raw.landing_rejects where {_OF_TABLE}", _keys(table)).fetchone()
    return int(row[0]) if row else 0


def _keys(table: RawTable) -> dict[str, object]:
    """Parameters of _OF_TABLE."""
    return {"source": table.source, "table": table.table}
