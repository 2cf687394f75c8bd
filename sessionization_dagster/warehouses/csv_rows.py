"""Arrow rows as CSV for BigQuery's load jobs, and back. Values that a CSV file cannot distinguish are marked.

To some CSV readers a null and an empty text are the same. So texts are loaded with a mark before them, and the reading query removes it.
"""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.compute as pc
from google.cloud import bigquery
from pyarrow import csv

MARK = "="


def schema(rows: pa.Table) -> list[bigquery.SchemaField]:
    """BigQuery's schema of the rows.

    Raises:
        TypeError: a column has a type that cannot be loaded.
    """
    return [bigquery.SchemaField(column.name, _type_of(column)) for column in rows.schema]


def _type_of(column: pa.Field) -> str:
    kinds = (
        (pa.types.is_boolean, "BOOL"),
        (pa.types.is_integer, "INT64"),
        (pa.types.is_floating, "FLOAT64"),
        (pa.types.is_date, "DATE"),
        (pa.types.is_timestamp, "TIMESTAMP"),
        (_is_text, "STRING"),
    )
    for is_kind, name in kinds:
        if is_kind(column.type):
            return name
    raise TypeError(f"Column {column.name} is of type {column.type}, which is not loaded into BigQuery.")


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def as_csv(rows: pa.Table) -> io.BytesIO:
    """The rows as CSV, after a line of names."""
    columns = []
    for column in rows.schema:
        values = rows.column(column.name)
        if _is_text(column.type):
            mark = pa.scalar(MARK, column.type)
            values = pc.binary_join_element_wise(mark, values, pa.scalar("", column.type))
        elif pa.types.is_timestamp(column.type):
            values = values.cast(pa.timestamp("us", column.type.tz))
        columns.append(values)
    file = io.BytesIO()
    csv.write_csv(pa.table(columns, names=rows.schema.names), file)
    file.seek(0)
    return file


def load_config(rows: pa.Table) -> bigquery.LoadJobConfig:
    """The configuration of a load job that reads as_csv."""
    return bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.CSV,
        schema=schema(rows),
        skip_leading_rows=1,
        allow_quoted_newlines=True,
        preserve_ascii_control_characters=True,
        write_disposition=bigquery.WriteDisposition.WRITE_APPEND,
    )


def as_query(rows: pa.Table, table: str) -> str:
    """A query of BigQuery, in brackets, that returns the original rows from the loaded table."""
    columns = ", ".join(
        f"IF(STARTS_WITH(`{column.name}`, '{MARK}'), SUBSTR(`{column.name}`, {len(MARK) + 1}), NULL) AS `{column.name}`"
        if _is_text(column.type)
        else f"`{column.name}`"
        for column in rows.schema
    )
    return f"(SELECT {columns} FROM `{table}`)"
