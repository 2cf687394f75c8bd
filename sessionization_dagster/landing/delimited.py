"""Reading csv and jsonl files with DuckDB's vectorised readers. Doubtful records are left to the careful path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb

from sessionization_dagster.landing.careful import LOOSE_JSON, csv_header
from sessionization_dagster.landing.convert import TEXT, Field, Shape
from sessionization_dagster.landing.errors import NeedsCare, UnreadableFile
from sessionization_dagster.landing.files import LandedFile
from sessionization_dagster.landing.tables import RawTable
from sessionization_dagster.landing.text import has_lone_returns, is_blank, opened
from sessionization_dagster.warehouses.text import literal

#: Every key of a file is looked up in every row: with more of them than this, batches that share keys are quicker.
MAX_KEYS = 1_000


def source_path(path: str) -> str:
    """The path as an SQL constant that matches just this file: DuckDB's readers take patterns."""
    return literal("".join(f"[{letter}]" if letter in "*?[" else letter for letter in path))


def match_names(table: RawTable, names: Sequence[str]) -> dict[str, int]:
    """Declared column -> position in the file, by the exact name, else by the name in another case.

    Raises UnreadableFile when a required column is missing.
    """
    # Of several names that differ only in case, the first by code point is taken.
    by_lower = {names[place].lower(): place for place in sorted(range(len(names)), key=names.__getitem__, reverse=True)}
    exact = {name: place for place, name in enumerate(names)}
    places = {column.name: exact.get(column.name, by_lower.get(column.name.lower())) for column in table.columns}
    missing = [repr(column.name) for column in table.columns if column.required and places[column.name] is None]
    if missing:
        found = ", ".join(map(repr, names[:100]))
        raise UnreadableFile(
            f"missing required column{'s' if len(missing) > 1 else ''} {', '.join(missing)}; found: {found}. "
            "Add the column to the file, empty if there is nothing to put in"
        )
    return {name: place for name, place in places.items() if place is not None}


def csv_columns(file: LandedFile) -> tuple[str, ...]:
    """The column names of a csv file. Raises UnreadableFile."""
    with opened(file) as stream:
        return csv_header(stream)


def csv_shape(table: RawTable, names: Sequence[str], relation: str, fields: Sequence[str], **record: str) -> Shape:
    """Records whose n-th column is called names[n] and has the SQL fields[n]. Raises UnreadableFile."""
    places = match_names(table, names)
    taken = set(places.values())
    return Shape(
        relation=relation,
        columns={column: Field(names[place], TEXT, fields[place]) for column, place in places.items()},
        extras=[Field(name, TEXT, fields[place]) for place, name in enumerate(names) if place not in taken],
        **record,
    )


def whole_csv(file: LandedFile, table: RawTable) -> Shape:
    """The file as DuckDB reads it. Raises UnreadableFile, and NeedsCare where DuckDB would misread it."""
    names = csv_columns(file)
    with opened(file) as stream:
        starts_blank = is_blank(stream.readline(2**16))
    # DuckDB takes a blank first line for the header, and a blank line for a null where there is one column.
    if starts_blank or len(names) == 1 or has_lone_returns(file):
        raise NeedsCare
    fields = [f"c{place}" for place in range(len(names))]
    return csv_shape(table, names, _read_csv(file, fields, header=True), fields)


def whole_jsonl(session: duckdb.DuckDBPyConnection, file: LandedFile, table: RawTable) -> Shape:
    """The file as DuckDB reads it. Raises UnreadableFile, and NeedsCare where it is not plainly one object per line."""
    if has_lone_returns(file):
        raise NeedsCare
    # A control character that no valid JSON contains, so that each line comes as one field.
    relation = _read_csv(file, ["line"], header=False, delimiter="\x1f", quote="", null="\x1e")
    keys = jsonl_keys(session, relation, "line", MAX_KEYS + 1)
    if len(keys) > MAX_KEYS:
        raise NeedsCare
    loose = f"not starts_with(ltrim(line), '{{') or regexp_matches(line, {literal(LOOSE_JSON)})"
    return jsonl_shape(
        table, keys, relation, "line", broken=f"case when coalesce({loose}, true) then 'not an object' end"
    )


def jsonl_keys(session: duckdb.DuckDBPyConnection, relation: str, text: str, most: int | None) -> list[str]:
    """The keys of all objects, sorted; broken off after `most`. Raises duckdb.Error for text that is not JSON."""
    limit = "" if most is None else f"limit {most}"
    rows = session.execute(f"select distinct unnest(json_keys({text})) from {relation} {limit}").fetchall()
    return sorted(key for (key,) in rows)


def jsonl_shape(table: RawTable, keys: Sequence[str], relation: str, text: str, **record: str) -> Shape:
    """Lines of JSON objects whose keys are all among `keys`.

    `text` is the SQL of the line, null where it is not an object.
    """
    pointers = ["/" + key.replace("~", "~0").replace("/", "~1") for key in keys]
    paths = f"[{', '.join(map(literal, pointers))}]" if keys else "cast([] as varchar[])"
    # JSON's null is no value, as in the other formats.
    values = {key: f"nullif(found[{place}], 'null')" for place, key in enumerate(keys, start=1)}
    columns, extras = _match_keys(table, values)
    return Shape(f"(select *, json_extract({text}, {paths}) as found from {relation})", columns, extras, **record)


def _match_keys(table: RawTable, values: Mapping[str, str]) -> tuple[dict[str, Field], list[Field]]:
    """The fields of the declared columns, and the rest.

    Keys may differ from line to line, so the choice among spellings is made in each: the exact one, else the first by
    code point that is not null. What is not chosen stays among the properties.
    """
    columns, extras = {}, dict(values)
    for column in table.columns:
        spellings = sorted(key for key in values if key.lower() == column.name.lower())
        spellings.sort(key=lambda key: key != column.name)
        if spellings:
            columns[column.name] = Field(column.name, "JSON", _first([values[key] for key in spellings]))
        for place, key in enumerate(spellings):
            earlier = [values[other] for other in spellings[:place]]
            extras[key] = f"case when {_first(earlier)} is not null then {values[key]} end" if earlier else ""
    return columns, [Field(key, "JSON", sql) for key, sql in extras.items() if sql]


def _first(values: Sequence[str]) -> str:
    """SQL of the first that is not null."""
    return f"coalesce({', '.join(values)})" if len(values) > 1 else values[0]


def _read_csv(
    file: LandedFile, columns: Sequence[str], header: bool, delimiter: str = ",", quote: str = '"', null: str = ""
) -> str:
    """The reader's call with nothing left to guess."""
    types = ", ".join(f"{literal(column)}: 'VARCHAR'" for column in columns)
    return (
        f"read_csv({source_path(file.path)}, auto_detect = false, columns = {{{types}}}, header = {header}, "
        f"delim = {literal(delimiter)}, quote = {literal(quote)}, escape = {literal(quote)}, "
        f"nullstr = {literal(null)}, compression = '{'gzip' if file.gzipped else 'none'}', "
        "strict_mode = true, hive_partitioning = false)"
    )
