"""Turns the records of one file into rows of its raw table, or rejects. Runs inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from datetime import datetime
from itertools import islice
from typing import TextIO

import duckdb
import pyarrow as pa

from sessionization_dagster.landing.call_rows import calls_shape, records_of
from sessionization_dagster.landing.convert import Shape, converted, landed_columns
from sessionization_dagster.landing.data_file import DataFile
from sessionization_dagster.landing.delimited import (
    MAX_KEYS,
    csv_fields,
    csv_shape,
    jsonl_keys,
    jsonl_shape,
    unnested,
    whole_csv,
    whole_jsonl,
)
from sessionization_dagster.landing.documents import json_records
from sessionization_dagster.landing.file_errors import NeedsRowByRow
from sessionization_dagster.landing.ledger import counted, qualified
from sessionization_dagster.landing.parquet import ParquetProbe, row_by_row_parquet, whole_parquet
from sessionization_dagster.landing.row_by_row import Record, csv_header, csv_records, jsonl_records
from sessionization_dagster.landing.tables import RawTable
from sessionization_dagster.landing.text import opened, unzipped
from sessionization_dagster.warehouses.quoting import identifier, literal

#: (session, probe, file, table, landed_at) -> (rows, rejects).
Load = Callable[[duckdb.DuckDBPyConnection, ParquetProbe, DataFile, RawTable, datetime], tuple[int, int]]

#: How much of a rejected record's text is kept: enough to recognise it.
MAX_CONTENT_CHARACTERS = 10_000
#: The row-by-row reader holds this many records, or characters, at a time.
BATCH_RECORDS = 20_000
BATCH_CHARACTERS = 32 * 2**20

#: The number of a record without a problem. `error` ends the statement, so that a clean file is read once.
CLEAN_NUMBER = "case when problem is null then cast(number as bigint) else cast(error(problem) as bigint) end"
_BATCH = "landing_batch"
_BATCH_SCHEMA = pa.schema(
    {
        "number": pa.int64(),
        "line": pa.int64(),
        "content": pa.string(),
        "error": pa.string(),
        "fields": pa.list_(pa.string()),
    }
)


def load_whole(
    session: duckdb.DuckDBPyConnection, probe: ParquetProbe, file: DataFile, table: RawTable, landed_at: datetime
) -> tuple[int, int]:
    """Loads a clean file in one vectorised statement.

    Raises UnreadableFile, and NeedsRowByRow as soon as anything in it is not clean. The transaction must then be rolled back.
    """
    if file.calls is not None:
        raise NeedsRowByRow
    with unzipped(file) if file.format == "parquet" else nullcontext(file) as plain:
        columns = probe.columns(plain) if file.format == "parquet" else ()
        return _insert_whole(session, [plain], table, columns), 0


def load_together(
    session: duckdb.DuckDBPyConnection, files: Sequence[DataFile], table: RawTable, columns: Sequence[tuple[str, str]]
) -> dict[str, tuple[int, int]]:
    """Loads clean parquet files with the same columns, or files of JSON lines, in one statement. Returns (rows, 0) of each, by source_file.

    columns: (name, DuckDB type) of each column of parquet files, which must not be zipped.

    Raises UnreadableFile, and NeedsRowByRow as soon as anything in one is not clean. The transaction must then be rolled back.
    """
    _insert_whole(session, files, table, columns)
    return counted(session, table, [file.source_file for file in files])


def load_row_by_row(
    session: duckdb.DuckDBPyConnection, probe: ParquetProbe, file: DataFile, table: RawTable, landed_at: datetime
) -> tuple[int, int]:
    """Loads the sound records of a file, and a reject with its line for each other record. Raises UnreadableFile."""
    if file.format == "parquet":
        with unzipped(file) as plain:
            shape = row_by_row_parquet(plain, table, probe.columns(plain))
            return _split(session, literal(file.source_file), table, shape, landed_at)
    if file.calls:
        return load_calls(session, [file], table, landed_at)[file.source_file]
    rows = rejects = 0
    with opened(file) as stream:
        read = _csv_batches if file.format == "csv" else _jsonl_batches
        for shape in read(session, file, table, stream):
            counts = _split(session, literal(file.source_file), table, shape, landed_at)
            rows, rejects = rows + counts[0], rejects + counts[1]
    return rows, rejects


def load_calls(
    session: duckdb.DuckDBPyConnection, files: Sequence[DataFile], table: RawTable, landed_at: datetime
) -> dict[str, tuple[int, int]]:
    """Loads the table's calls of some files. Returns the numbers of rows and of rejects of each, by source_file. Raises UnreadableFile.

    One statement takes the calls of many files: it is planned for a tenth of a second, however few they are.
    """
    for _ in _batches(session, _calls_of(files, table)):
        _split(session, "of_file", table, calls_shape(table, _BATCH), landed_at)
    return counted(session, table, [file.source_file for file in files])


def _calls_of(files: Sequence[DataFile], table: RawTable) -> Iterator[Record]:
    for file in files:
        assert file.calls is not None
        with opened(file) as stream:
            yield from records_of(file.calls, file.source_file, table, _json_records(file, stream))


def _insert_whole(
    session: duckdb.DuckDBPyConnection, files: Sequence[DataFile], table: RawTable, columns: Sequence[tuple[str, str]]
) -> int:
    """Inserts all records of the files, or fails at the first that has a problem. Returns their count."""
    kind = files[0].format
    try:
        if kind == "parquet":
            shape = whole_parquet(files, table, columns)
        else:
            shape = whole_csv(files[0], table) if kind == "csv" else whole_jsonl(session, files, table)
        source_file = literal(files[0].source_file) if len(files) == 1 else "of_file"
        count = _execute_insert(session, _insert(source_file, table, shape, CLEAN_NUMBER))
        if kind != "parquet" and count:
            _number_rows(session, table, count)
    except (duckdb.OutOfMemoryException, duckdb.InterruptException):
        raise
    except duckdb.Error as error:
        raise NeedsRowByRow from error
    return count


def _split(
    session: duckdb.DuckDBPyConnection, source_file: str, table: RawTable, shape: Shape, landed_at: datetime
) -> tuple[int, int]:
    """Inserts the records without a problem as rows, the others as rejects. source_file is SQL. Returns (rows, rejects)."""
    rejects = _execute_insert(
        session,
        f"insert into raw.landing_rejects select ?, ?, {source_file}, line, problem, left(content, {MAX_CONTENT_CHARACTERS}), ? "
        f"from ({converted(table, shape)}) where problem is not null",
        [table.source, table.table, landed_at],
    )
    sound = f"{_insert(source_file, table, shape, 'number')} where problem is null"
    return _execute_insert(session, sound), rejects


def _insert(source_file: str, table: RawTable, shape: Shape, number: str) -> str:
    """The statement that inserts converted records; a `where` may follow. source_file is SQL."""
    columns = landed_columns(table, shape) | {"source_file": source_file, "source_row": number}
    return (
        f"insert into {qualified(table)} ({', '.join(map(identifier, columns))}) "
        f"select {', '.join(columns.values())} from ({converted(table, shape)})"
    )


def _execute_insert(session: duckdb.DuckDBPyConnection, statement: str, parameters: Sequence[object] = ()) -> int:
    """Executes the statement and returns how many rows it inserted."""
    count = session.execute(statement, parameters).fetchone()
    return int(count[0]) if count else 0


def _number_rows(session: duckdb.DuckDBPyConnection, table: RawTable, count: int) -> None:
    """Numbers the `count` rows that this transaction inserted last, in each file from 1 in its order.

    `row_number() over ()` in the insert would work too, but on a single thread: 54 s instead of 30 s for 10 million rows on
    two cores. Rows inserted by one statement get consecutive row ids in their order. Raises NeedsRowByRow if they ever do not.
    """
    found = session.execute(
        f"select source_file, min(rowid), max(rowid), count(*) from {qualified(table)} where source_row is null group by 1"
    ).fetchall()
    if sum(rows for *_, rows in found) != count or any(last - first + 1 != rows for _, first, last, rows in found):
        raise NeedsRowByRow
    starts = " ".join(f"when {literal(file)} then {first}" for file, first, *_ in found)
    session.execute(
        f"update {qualified(table)} set source_row = rowid - case source_file {starts} end + 1 where source_row is null"
    )


def _csv_batches(
    session: duckdb.DuckDBPyConnection, file: DataFile, table: RawTable, stream: TextIO
) -> Iterator[Shape]:
    """The file in batches. Each is valid until the next is requested. Raises UnreadableFile."""
    names = csv_header(stream, file.delimiter)
    stream.seek(0)
    fields = csv_fields(file, names, [f"fields[{place}]" for place in range(1, len(names) + 1)])
    shape = csv_shape(table, fields, _BATCH, number="number", line="line", content="content", broken="error")
    for _ in _batches(session, csv_records(stream, len(names), file.delimiter)):
        yield shape


def _json_records(file: DataFile, stream: TextIO) -> Iterator[Record]:
    return json_records(stream) if file.format == "json" else jsonl_records(stream)


def _jsonl_batches(
    session: duckdb.DuckDBPyConnection, file: DataFile, table: RawTable, stream: TextIO
) -> Iterator[Shape]:
    """The file in batches, with at most MAX_KEYS keys if possible. Each is valid until the next is requested."""
    for first, last in _batches(session, _json_records(file, stream)):
        pieces = [(first, last)]
        while pieces:
            first, last = pieces.pop()
            judged = (
                "(select *, case when error is not null then error "
                "when not json_valid(content) then 'is not JSON; write one object per line' "
                "when json_type(content) <> 'OBJECT' then 'is JSON, but no object; write one object per line' end "
                f"as fault from {_BATCH} where number between {first} and {last})"
            )
            sound = unnested("case when fault is null then content end", table)
            keys = jsonl_keys(session, judged, sound, table, MAX_KEYS + 1 if first < last else None)
            if len(keys) > MAX_KEYS and first < last:
                middle = (first + last) // 2
                pieces += [(middle + 1, last), (first, middle)]
                continue
            yield jsonl_shape(
                table, keys, judged, sound, file, number="number", line="line", content="content", broken="fault"
            )


def _batches(session: duckdb.DuckDBPyConnection, records: Iterable[Record]) -> Iterator[tuple[int, int]]:
    """Registers the records, one batch at a time, as the table _BATCH. Yields the first and the last record's number."""
    remaining = iter(records)
    while batch := list(_bounded(remaining)):
        columns = zip(*batch, strict=True)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, _BATCH_SCHEMA, strict=True)]
        session.register(_BATCH, pa.Table.from_arrays(arrays, schema=_BATCH_SCHEMA))
        yield batch[0].number, batch[-1].number
        session.unregister(_BATCH)


def _bounded(records: Iterator[Record]) -> Iterator[Record]:
    """The next records, as many as fit into one batch."""
    characters = 0
    for record in islice(records, BATCH_RECORDS):
        yield record
        characters += len(record.content)
        if characters > BATCH_CHARACTERS:
            return
