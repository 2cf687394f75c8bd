"""Rewrites parquet files, row group by row group. Schema, order, types and compression stay the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import isnan
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sessionization_dagster.erasure.changes import Changes, Outcome, RewriteError, replacing
from sessionization_dagster.erasure.ids import Ids
from sessionization_dagster.landing.data_file import DataFile
from sessionization_dagster.landing.text import unzipped


def rewrite_parquet(file: DataFile, changes: Changes, ids: Ids, settle: Callable[[Outcome], None]) -> Outcome:
    """Apply the changes to a parquet file.

    Raises:
        RewriteError: the file cannot be written again with the same schema and rows. It is unchanged.
    """
    try:
        return _rewrite(file, changes, ids, settle)
    except (pa.ArrowException, TypeError, UnicodeError):
        # The library's message may quote a value.
        raise _refused(file) from None


def _rewrite(file: DataFile, changes: Changes, ids: Ids, settle: Callable[[Outcome], None]) -> Outcome:
    outcome = Outcome()
    # A zipped file is written unzipped; readers see this from its first bytes.
    with unzipped(file) as plain, pq.ParquetFile(plain.path) as source:
        rows = source.metadata.num_rows
        with replacing(Path(file.path)) as (scratch, stream):
            with pq.ParquetWriter(stream, source.schema_arrow, **_options(source)) as writer:
                for table in _groups(source, changes, ids, outcome):
                    if table.num_rows:
                        writer.write_table(table, row_group_size=table.num_rows)
            stream.close()
            if not outcome.is_change:
                scratch.unlink()
                return outcome
            _verify(file, source, scratch, rows - outcome.removed - outcome.rejects_removed)
            settle(outcome)
    return outcome


def _options(source: pq.ParquetFile) -> dict[str, Any]:
    """The writer's options for writing the file as it was written before."""
    columns = [source.metadata.schema.column(place) for place in range(source.metadata.num_columns)]
    first = source.metadata.row_group(0) if source.metadata.num_row_groups else None
    codecs = {
        column.path: first.column(place).compression if first else "SNAPPY" for place, column in enumerate(columns)
    }
    return {
        "compression": {path: "NONE" if codec == "UNCOMPRESSED" else codec for path, codec in codecs.items()},
        "version": source.metadata.format_version,
        "use_deprecated_int96_timestamps": any(column.physical_type == "INT96" for column in columns),
        "store_decimal_as_integer": any(
            "Decimal" in str(column.logical_type) and column.physical_type.startswith("INT") for column in columns
        ),
        "store_schema": b"ARROW:schema" in (source.metadata.metadata or {}),
    }


def _groups(source: pq.ParquetFile, changes: Changes, ids: Ids, outcome: Outcome) -> Iterator[pa.Table]:
    """The row groups with the changes."""
    number = 0
    for group in range(source.metadata.num_row_groups):
        table = source.read_row_group(group)
        keep = [True] * table.num_rows
        blanks: dict[int, frozenset[str]] = {}
        for place in range(table.num_rows):
            number += 1
            if number in changes.remove:
                keep[place] = False
                outcome.removed += 1
            elif number in changes.suspects and _is_suspect(table, place, number, changes, ids):
                keep[place] = False
                outcome.rejects_removed += 1
            elif number in changes.blank:
                blanks[place] = changes.blank[number]
        table, blanked = _blanked(table, blanks, ids)
        outcome.blanked += blanked
        yield table if all(keep) and not blanked else _with_new_dictionaries(table.filter(pa.array(keep)))


def _is_suspect(table: pa.Table, place: int, number: int, changes: Changes, ids: Ids) -> bool:
    fields = {
        name: _value(column, place)
        for name, column in zip(table.column_names, table.columns, strict=True)
        if _may_name(column)
    }
    names_person = any(ids.blanked(value, frozenset()) != value for value in fields.values())
    return names_person or changes.is_suspect(number, "", fields, ids)


def _blanked(table: pa.Table, blanks: dict[int, frozenset[str]], ids: Ids) -> tuple[pa.Table, int]:
    """The table with the ids of these rows blanked, and how many rows changed. Untouched values are not converted."""
    changed: set[int] = set()
    for index, field in enumerate(table.schema) if blanks else ():
        column = table.column(index)
        values: dict[int, Any] = {}
        if not _may_name(column):
            continue
        for place, own in blanks.items():
            value = _value(column, place)
            blank = ids.blanked(value, own)
            if blank != value:
                values[place] = _nothing(field.type) if blank is None and not field.nullable else blank
        if values:
            table = table.set_column(index, field, _with_values(column, values))
            changed |= values.keys()
    return table, len(changed)


def _nothing(kind: pa.DataType) -> Any:
    """The value that means no value in a column without nulls. A UUID of zeros identifies nobody (blocked_ids)."""
    if isinstance(kind, pa.BaseExtensionType):
        return _nothing(kind.storage_type)
    if pa.types.is_fixed_size_binary(kind):
        return bytes(kind.byte_width)
    if pa.types.is_floating(kind):
        return float("nan")
    return 0 if pa.types.is_integer(kind) else ""


def _may_name(column: pa.ChunkedArray) -> bool:
    """Whether the column's type can hold ids."""
    kind = column.type
    return not (pa.types.is_temporal(kind) or pa.types.is_boolean(kind))


def _value(column: pa.ChunkedArray, place: int) -> Any:
    """One value. Text that is not UTF-8 is returned as bytes, and NaN as None, because NaN does not equal even itself."""
    value = column[place]
    try:
        found = value.as_py()
    except UnicodeDecodeError:
        return value.cast(pa.binary()).as_py()
    return None if isinstance(found, float) and isnan(found) else found


def _with_values(column: pa.ChunkedArray, values: dict[int, Any]) -> pa.ChunkedArray:
    pieces: list[pa.Array] = []
    done = 0
    for place in sorted(values):
        pieces += [*column.slice(done, place - done).chunks, _array(values[place], column.type)]
        done = place + 1
    return pa.chunked_array([*pieces, *column.slice(done).chunks], column.type)


def _with_new_dictionaries(table: pa.Table) -> pa.Table:
    """The table without values that no row has any more. A dictionary would keep them, and they would be written."""
    for index, field in enumerate(table.schema):
        if _has_dictionary(field.type):
            column = table.column(index)
            values = (
                column.cast(field.type.value_type)
                if pa.types.is_dictionary(field.type)
                else pa.array(column.to_pylist(), field.type)
            )
            table = table.set_column(index, field, values.cast(field.type))
    return table


def _has_dictionary(kind: pa.DataType) -> bool:
    return pa.types.is_dictionary(kind) or any(
        _has_dictionary(kind.field(place).type) for place in range(kind.num_fields)
    )


def _array(value: Any, kind: pa.DataType) -> pa.Array:
    if isinstance(kind, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(kind, _array(value, kind.storage_type))
    return pa.array([value], kind)


def _verify(file: DataFile, source: pq.ParquetFile, scratch: Path, rows: int) -> None:
    with pq.ParquetFile(scratch) as written:
        if _columns(written) != _columns(source) or written.metadata.num_rows != rows:
            raise _refused(file)


def _columns(source: pq.ParquetFile) -> list[tuple[Any, ...]]:
    """The schema's leaves, without the root, which DuckDB and Arrow name differently. Only DuckDB marks an INT32 as 32 bits wide."""
    leaves = [source.metadata.schema.column(place) for place in range(source.metadata.num_columns)]
    return [
        (
            leaf.path,
            leaf.physical_type,
            str(leaf.logical_type).replace(f"Int(bitWidth={leaf.physical_type[3:]}, isSigned=true)", "None"),
            leaf.max_definition_level,
            leaf.max_repetition_level,
        )
        for leaf in leaves
    ]


def _refused(file: DataFile) -> RewriteError:
    return RewriteError(
        f"{file.source_file}: it cannot be written again with the same columns and the rows that should be left. It was left as it "
        "is: write it without the person's rows by the tool that made it, then run again."
    )
