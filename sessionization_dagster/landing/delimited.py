"""Reads csv and jsonl files with DuckDB's vectorised readers. Doubtful records are left to the row-by-row reader."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import duckdb

from sessionization_dagster.landing.convert import TEXT, Field, Shape
from sessionization_dagster.landing.data_file import DataFile, LandedFile
from sessionization_dagster.landing.file_errors import NeedsRowByRow, UnreadableFile
from sessionization_dagster.landing.names import folder_values
from sessionization_dagster.landing.row_by_row import LOOSE_JSON, csv_header
from sessionization_dagster.landing.tables import RawColumn, RawTable
from sessionization_dagster.landing.text import has_lone_returns, is_blank, opened
from sessionization_dagster.warehouses.quoting import literal

#: Every key of a file is looked up in every row. Above this number of keys, batches that share keys are faster.
MAX_KEYS = 1_000


def source_path(path: str) -> str:
    """The path as an SQL constant that matches only this file, because DuckDB's readers accept patterns."""
    return literal("".join(f"[{letter}]" if letter in "*?[" else letter for letter in path))


def spellings(column: RawColumn, names: Sequence[str]) -> list[int]:
    """The positions of the names that can fill the column, the best first. Names in another case come after the exact ones.

    Of several names that differ only in case, the first by code point is better.
    """
    wanted = column.spellings
    lowered = [name.lower() for name in wanted]
    ranks = {
        place: (wanted.index(name) if name in wanted else len(wanted) + lowered.index(name.lower()), name)
        for place, name in enumerate(names)
        if name.lower() in lowered
    }
    return sorted(ranks, key=lambda place: ranks[place])


def match_names(table: RawTable, names: Sequence[str]) -> dict[str, int]:
    """Declared column -> position in the file, by the best of its names.

    Raises UnreadableFile when a required column is missing.
    """
    found = {column.name: spellings(column, names) for column in table.columns}
    missing = [repr(column.name) for column in table.columns if column.required and not found[column.name]]
    if missing:
        remedy = "None of these names a column of the table: write the column names into the first line"
        if table.unnest in names:
            remedy = (
                f"Fields within {table.unnest!r} are read of JSON alone: write JSON lines, or a column for each field"
            )
        elif any(found.values()):
            remedy = "Add the column to the file"
        raise UnreadableFile(
            f"missing required column{'s' if len(missing) > 1 else ''} {', '.join(missing)}; "
            f"found: {', '.join(map(repr, names[:100]))}. {remedy}"
        )
    return {name: places[0] for name, places in found.items() if places}


def match_keys(table: RawTable, names: Sequence[str]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """For JSON records: declared column -> the keys that may fill it, the best first; property -> the keys that precede it.

    Keys may differ from record to record, so each record chooses the best key that is not null. A key that is not chosen is a property
    of that record, if one of the keys that precede it is not null.
    """
    columns = {column.name: [names[place] for place in spellings(column, names)] for column in table.columns}
    columns = {column: keys for column, keys in columns.items() if keys}
    better: dict[str, list[str]] = {name: [] for name in names}
    for keys in columns.values():
        better.pop(keys[0], None)
        better |= {key: keys[:rank] for rank, key in enumerate(keys) if rank}
    return columns, better


def near_misses(table: RawTable, names: Sequence[str]) -> list[str]:
    """A sentence per name that differs only in separators from a missing column of the time, of an id or of the event's id.

    `userId` is not read as `user_id`, because a property may have this name and hold any person's id.
    """
    wanted = {
        _letters(spelling): column.name
        for column in table.columns
        if (column.is_id or column.name == table.at) and not spellings(column, names)
        for spelling in column.spellings
    }
    return [
        f"{name!r} is kept as a property, and not read as {wanted[_letters(name)]!r}: if that is meant, rename it"
        for name in names
        if _letters(name) in wanted
    ]


def _letters(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


def csv_columns(file: DataFile) -> tuple[str, ...]:
    """The column names of a csv file. Raises UnreadableFile."""
    with opened(file) as stream:
        return csv_header(stream, file.delimiter)


def csv_shape(table: RawTable, fields: Sequence[Field], relation: str, **record: str) -> Shape:
    """The shape of records that have these fields. Raises UnreadableFile."""
    places = match_names(table, [field.name for field in fields])
    return Shape(
        relation=relation,
        columns={column: fields[place] for column, place in places.items()},
        extras=[field for place, field in enumerate(fields) if place not in places.values()],
        **record,
    )


def csv_fields(file: DataFile, names: Sequence[str], values: Sequence[str]) -> list[Field]:
    """Fields with the names names[n] and the SQL values[n], and the fields from the file's folders."""
    return [Field(name, TEXT, value) for name, value in zip(names, values, strict=True)] + folder_fields(file, names)


def folder_fields(file: LandedFile, names: Sequence[str]) -> list[Field]:
    """The columns from the folders on the file's path, except those that the file has itself."""
    own = {name.lower() for name in names}
    given = {name: value for name, value in folder_values(file.source_file).items() if name.lower() not in own}
    return [Field(name, TEXT, _constant(value)) for name, value in given.items()]


def _constant(value: str | None) -> str:
    return "cast(null as varchar)" if value is None else literal(value)


def whole_csv(file: DataFile, table: RawTable) -> Shape:
    """The file as DuckDB reads it. Raises UnreadableFile, and NeedsRowByRow if DuckDB would misread the file.

    Of several files that it reads at once, DuckDB leaves out the rows after a quote that is never closed. Of one file it refuses them.
    """
    names = csv_columns(file)
    with opened(file) as stream:
        starts_blank = is_blank(stream.readline(2**16))
    # DuckDB reads a blank first line as the header and, if there is only one column, a blank line as a null.
    if starts_blank or len(names) == 1 or not file.is_utf8 or has_lone_returns(file):
        raise NeedsRowByRow
    fields = [f"c{place}" for place in range(len(names))]
    relation = _read_csv([file], fields, header=True, delimiter=file.delimiter)
    return csv_shape(table, csv_fields(file, names, fields), relation)


def whole_jsonl(session: duckdb.DuckDBPyConnection, files: Sequence[DataFile], table: RawTable) -> Shape:
    """Files with the same compression and folder values, as DuckDB reads them.

    Raises UnreadableFile, and NeedsRowByRow if one is not simply one object per line, or must be read alone.
    """
    if any(file.format == "json" or not file.is_utf8 or has_lone_returns(file) for file in files):
        raise NeedsRowByRow
    # The delimiter is a control character that no valid JSON contains, so that each line is one field.
    relation = _read_csv(files, ["line"], header=False, delimiter="\x1f", quote="", null="\x1e")
    text = unnested("line", table)
    keys = jsonl_keys(session, relation, text, table, MAX_KEYS + 1)
    if len(keys) > MAX_KEYS or (len(files) > 1 and _has_folders_name(files[0], keys)):
        raise NeedsRowByRow
    loose = f"not starts_with(ltrim(line), '{{') or regexp_matches(line, {literal(LOOSE_JSON)})"
    return jsonl_shape(
        table, keys, relation, text, files[0], broken=f"case when coalesce({loose}, true) then 'not an object' end",
        source_file=path_in_landing(files, "path"),
    )  # fmt: skip


def _has_folders_name(file: LandedFile, keys: Sequence[str]) -> bool:
    """Whether a key has the name of one of the file's folders. Its place in the properties then depends on the file's other records."""
    return bool({key.lower() for key in keys} & {name.lower() for name in folder_values(file.source_file)})


def path_in_landing(files: Sequence[DataFile], path: str) -> str:
    """SQL of the path below the landing folder. All files are below one folder, so the path before it has the same length for all."""
    return f"substr({path}, {len(files[0].path) - len(files[0].source_file) + 1})"


def unnested(text: str, table: RawTable) -> str:
    """SQL of a JSON record with all fields at the top level. The table's records may have most of their fields in one object."""
    if table.unnest is None:
        return text
    inner, without = f"json_extract({text}, {literal('/' + table.unnest)})", literal(json.dumps({table.unnest: None}))
    # A patch with null removes the key. A field outside the object takes precedence over one inside.
    flat = f"cast(json_merge_patch({inner}, json_merge_patch({text}, {without})) as varchar)"
    return f"case when json_type({inner}) = 'OBJECT' then {flat} else {text} end"


def jsonl_keys(
    session: duckdb.DuckDBPyConnection, relation: str, text: str, table: RawTable, most: int | None
) -> list[str]:
    """The keys of all objects, sorted, at most `most`. Raises UnreadableFile, and duckdb.Error for text that is not JSON."""
    limit = "" if most is None else f"limit {most}"
    rows = session.execute(f"select distinct unnest(json_keys({text})) from {relation} {limit}").fetchall()
    keys = sorted(key for (key,) in rows)
    if {"messageId", "type"} <= set(keys) and table.call:
        raise UnreadableFile(
            "has raw calls (records with messageId and type) behind rows of another kind; write each kind into a file of its own"
        )
    return keys


def jsonl_shape(
    table: RawTable, keys: Sequence[str], relation: str, text: str, file: LandedFile, **record: str
) -> Shape:
    """The shape of lines of JSON objects whose keys are all among `keys`.

    `text` is the SQL of the line, null if the line is not an object.
    """
    pointers = ["/" + key.replace("~", "~0").replace("/", "~1") for key in keys]
    paths = f"[{', '.join(map(literal, pointers))}]" if keys else "cast([] as varchar[])"
    # JSON's null means no value, as in the other formats.
    values = {key: f"nullif(found[{place}], 'null')" for place, key in enumerate(keys, start=1)}
    for field in folder_fields(file, ()):
        # A folder's value applies to records without a value for the key, whatever its case.
        own = [sql for key, sql in values.items() if key.lower() == field.name.lower()]
        given = (
            f"case when {first_non_null(own)} is null then to_json({field.sql}) end" if own else f"to_json({field.sql})"
        )
        values[field.name] = first_non_null([values[field.name], given]) if field.name in values else given
    matched, better = match_keys(table, list(values))
    columns = {
        name: Field(name, "JSON", first_non_null([values[key] for key in keys])) for name, keys in matched.items()
    }
    extras = []
    for key, others in better.items():
        taken = f"{first_non_null([values[other] for other in others])} is not null" if others else ""
        extras.append(Field(key, "JSON", f"case when {taken} then {values[key]} end" if taken else values[key]))
    return Shape(f"(select *, json_extract({text}, {paths}) as found from {relation})", columns, extras, **record)


def first_non_null(values: Sequence[str]) -> str:
    """SQL of the first value that is not null."""
    return f"coalesce({', '.join(values)})" if len(values) > 1 else values[0]


def _read_csv(
    files: Sequence[DataFile],
    columns: Sequence[str],
    header: bool,
    delimiter: str = ",",
    quote: str = '"',
    null: str = "",
) -> str:
    """The reader's call, with every option set so that DuckDB guesses nothing. The file's path is in the column `path`."""
    paths = ", ".join(source_path(file.path) for file in files)
    types = ", ".join(f"{literal(column)}: 'VARCHAR'" for column in columns)
    return (
        f"read_csv([{paths}], auto_detect = false, columns = {{{types}}}, header = {header}, "
        f"delim = {literal(delimiter)}, quote = {literal(quote)}, escape = {literal(quote)}, "
        f"nullstr = {literal(null)}, compression = '{'gzip' if files[0].gzipped else 'none'}', "
        "strict_mode = true, hive_partitioning = false, filename = 'path')"
    )
