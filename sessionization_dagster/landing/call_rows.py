"""Turns the records of files of raw calls into records of a batch for one table. No files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sessionization_dagster.landing.calls import call_row, parsed_call
from sessionization_dagster.landing.convert import Field, Shape
from sessionization_dagster.landing.data_file import Calls
from sessionization_dagster.landing.names import folder_values
from sessionization_dagster.landing.row_by_row import Record
from sessionization_dagster.landing.tables import RawTable
from sessionization_dagster.warehouses.quoting import literal


def calls_shape(table: RawTable, batch: str) -> Shape:
    """The shape of records in the relation `batch`. Their fields: JSON of the declared columns, JSON of the rest, and the file."""
    columns = {column.name: f"/{column.name}" for column in table.columns}
    paths = ", ".join(map(literal, columns.values()))
    fields = {
        name: Field(name, "JSON", f"nullif(found[{place}], 'null')") for place, name in enumerate(columns, start=1)
    }
    return Shape(
        f"(select *, json_extract(fields[1], [{paths}]) as found from {batch})",
        fields,
        (),
        number="number",
        line="line",
        content="content",
        broken="error",
        source_file="fields[3]",
        properties="cast(fields[2] as json)",
    )


def records_of(calls: Calls, source_file: str, table: RawTable, records: Iterable[Record]) -> Iterator[Record]:
    """The table's calls in a file. In the home table of the file, also the records that fill no table."""
    names = {column.name for column in table.columns}
    given = {name: value for name, value in folder_values(source_file).items() if value is not None}
    is_home, types = calls.is_home, calls.types
    for record in records:
        if not is_home and (record.error or f'"{table.call}"' not in record.content):
            continue
        record = record._replace(fields=(None, None, source_file))
        if record.error:
            yield record
            continue
        try:
            call = parsed_call(record.content)
        except (ValueError, RecursionError):
            call, error = None, "is not JSON; write one object per line"
        else:
            error = (
                "is no raw call (it has no messageId or no type); write rows of another kind into a file of their own"
            )
        if call is not None and call["type"] == table.call:
            yield record._replace(fields=(*call_row(call, names, given), source_file))
        elif is_home and call is None:
            yield record._replace(error=error)
        elif is_home and call is not None and all(call["type"] != kind for kind in types):
            yield record._replace(error=f"is a call of type {call['type']!r}, which no table takes: it makes no event")
