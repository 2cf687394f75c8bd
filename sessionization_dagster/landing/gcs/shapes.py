"""The form of a scratch table's records, by the file's format, and the query that turns them into rows. Texts only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sessionization_dagster.landing.delimited import MAX_KEYS, first_non_null, match_keys, match_names
from sessionization_dagster.landing.file_errors import UnreadableFile
from sessionization_dagster.landing.gcs.values import (
    Value,
    converted,
    literal,
    parsed_json,
    problem,
    properties,
    quoted,
)
from sessionization_dagster.landing.names import folder_values
from sessionization_dagster.landing.tables import RawColumn, RawTable

LINE = "line"
EMPTY = literal("")
MOMENTS = ("TIMESTAMP", "DATETIME")
FLOATS = ("FLOAT", "FLOAT64")
NUMBERS = ("INTEGER", "INT64", "NUMERIC", "BIGNUMERIC", "BOOLEAN", "BOOL", *FLOATS)


@dataclass(frozen=True)
class Shape:
    """The form of one file's records. All SQL is over `relation`.

    Attributes:
        relation: SQL that can follow `from`: one row per record.
        columns: declared column -> the value that fills it.
        extras: values that no declared column takes, in this order.
        content: SQL of a record's text.
        broken: SQL of why a record as a whole is broken; null when it is not.
    """

    relation: str
    columns: Mapping[str, Value]
    extras: Sequence[Value]
    content: str
    broken: str = "cast(null as string)"


def judged(table: RawTable, shape: Shape) -> str:
    """A query: one row per record with v0, v1... for the declared columns in order, properties, content and problem (null: sound)."""
    raw = [f"{properties(shape.extras)} as properties", f"{shape.content} as content", f"{shape.broken} as broken"]
    values, problems = ["*"], ["when broken is not null then broken"]
    for place, column in enumerate(table.columns):
        value = shape.columns.get(column.name)
        raw.append(f"{value.text if value else 'cast(null as string)'} as r{place}")
        raw.append(f"{value.is_number if value else 'false'} as n{place}")
        is_number = "false" if value is None or value.is_number == "false" else f"n{place}"
        values.append(f"{converted(column, f'r{place}', is_number)} as v{place}")
        branch = problem(column, f"r{place}", f"v{place}") if value else None
        problems += [branch] if branch else []
    first = f"select {', '.join(raw)} from {shape.relation}"
    second = f"select {', '.join(values)} from ({first})"
    return f"select *, case {' '.join(problems)} end as problem from ({second})"


def csv_shape(table: RawTable, names: Sequence[str], scratch: str, source_file: str) -> Shape:
    """The shape of records whose n-th column has the name names[n] and is in cn. Raises UnreadableFile for a missing required column."""
    fields = []
    for place, name in enumerate(names):
        # An empty field is no value, quoted or not.
        text = f"nullif(c{place}, '')"
        fields.append(Value(name, text, f"if({text} is null, null, to_json_string({text}))"))
    fields += _folder_values(source_file, names)
    places = match_names(table, [field.name for field in fields])
    taken = set(places.values())
    # A load job does not keep a record's text, so a JSON list of its fields is used instead.
    content = f"to_json_string([{', '.join(f'coalesce(c{place}, {EMPTY})' for place in range(len(names)))}])"
    return Shape(
        quoted(scratch),
        {column: fields[place] for column, place in places.items()},
        [field for place, field in enumerate(fields) if place not in taken],
        content,
    )


def _folder_values(source_file: str, names: Sequence[str]) -> list[Value]:
    """The columns from the folders on the file's path, except those that the file has itself."""
    own = {name.lower() for name in names}
    given = {name: value for name, value in folder_values(source_file).items() if name.lower() not in own}
    return [
        Value(name, "cast(null as string)", "cast(null as string)")
        if value is None
        else Value(name, literal(value), literal(json.dumps(value, ensure_ascii=False)))
        for name, value in given.items()
    ]


def parquet_shape(table: RawTable, types: Mapping[str, str], scratch: str, source_file: str) -> Shape:
    """The shape of records with columns of these types, as a load job made them.

    Raises UnreadableFile for a missing required column, and for a nested column where a plain value is required.
    """
    names = list(types)
    fields = [_typed(name, kind) for name, kind in types.items()] + _folder_values(source_file, names)
    kinds = [*types.values(), *("STRING" for _ in fields[len(names) :])]
    places = match_names(table, [field.name for field in fields])
    for column in table.columns:
        kind = kinds[places[column.name]] if column.name in places else "STRING"
        if _is_nested(kind) and column.type != "JSON":
            raise UnreadableFile(
                f"column {column.name!r} is {kind} where {column.type} is wanted; write it as {column.type}"
            )
    taken = set(places.values())
    columns = {}
    for column in table.columns:
        if column.name in places:
            place = places[column.name]
            columns[column.name] = _fitted(column.type, kinds[place], fields[place])
    extras = [field for place, field in enumerate(fields) if place not in taken]
    return Shape(quoted(scratch), columns, extras, f"to_json_string(struct({', '.join(map(quoted, names))}))")


def _fitted(wanted: str, kind: str, field: Value) -> Value:
    """The field with a text that can be converted to the wanted type."""
    if wanted == "JSON" and kind != "STRING":
        return Value(field.name, field.json, field.json)
    if kind in FLOATS:
        return Value(field.name, _float_text(wanted, quoted(field.name)), field.json, field.is_number)
    if wanted == "DATE" and kind in MOMENTS:
        return Value(field.name, f"substr({field.text}, 1, 10)", field.json)
    return field


def _float_text(wanted: str, column: str) -> str:
    """A float as text. NaN is no value, and the id 42.0 is 42: pandas writes ids like this if some are missing."""
    if wanted != "VARCHAR":
        return f"if(is_nan({column}), null, cast({column} as string))"
    whole = f"{column} = trunc({column}) and abs({column}) < {float(2**63)!r}"
    text = f"if({whole}, cast(safe_cast({column} as int64) as string), cast({column} as string))"
    return f"if(is_nan({column}) or is_inf({column}), null, {text})"


def _is_nested(kind: str) -> bool:
    return kind not in (*NUMBERS, *MOMENTS, "STRING", "BYTES", "DATE", "TIME")


def _typed(name: str, kind: str) -> Value:
    """A column of a type, as text and as JSON text."""
    column = quoted(name)
    if kind in MOMENTS:
        text = f"regexp_replace(cast({column} as string), '[+]00$', '')"
    elif kind == "BYTES":
        text = f"safe_convert_bytes_to_string({column})"
    elif _is_nested(kind):
        text = f"to_json_string({column})"
    else:
        text = f"cast({column} as string)"
    # Numbers stay as they are written, because JSON's own writer quotes large ones. JSON has no NaN.
    finite = f"regexp_contains({text}, '^[-+0-9.eE]+$|^true$|^false$')"
    if kind in NUMBERS:
        is_number = "false" if kind in ("BOOLEAN", "BOOL") else "true"
        return Value(name, text, f"if({finite}, {text}, null)", is_number)
    as_json = text if _is_nested(kind) else f"to_json_string({text})"
    return Value(name, text, f"if({column} is null, null, {as_json})")


def jsonl_lines(scratch: str) -> str:
    """SQL that can follow `from`: line, and object, which is the line if it is a JSON object. Blank lines are left out."""
    # A byte order mark belongs to the file.
    line = f"ltrim({LINE}, {literal(chr(0xFEFF))})"
    found = f"select {line} as line, {parsed_json(line)} as parsed from {quoted(scratch)}"
    return f"(select line, parsed, if(json_type(parsed) = 'object', line, null) as object from ({found}) where trim(line) <> '')"


def jsonl_keys(scratch: str) -> str:
    """A query: the keys of all objects, at most one more than is allowed."""
    objects = f"select json_keys(parsed, 1) as found from {jsonl_lines(scratch)} where object is not null"
    return f"select distinct key from ({objects}), unnest(found) as key order by key limit {MAX_KEYS + 1}"


def jsonl_shape(table: RawTable, keys: Sequence[str], scratch: str, source_file: str) -> Shape:
    """The shape of lines of JSON objects whose keys are all among `keys`. Raises UnreadableFile for keys that cannot be queried."""
    names = [_unquoted(key) for key in keys]
    if len(names) > MAX_KEYS:
        raise UnreadableFile(f"has more than {MAX_KEYS} different keys; put those that vary into one nested object")
    for name in names:
        if '"' in name or "\\" in name:
            raise UnreadableFile(f"has the key {name!r}, which no path of BigQuery can name; rename it")
    if table.call and {"messageId", "type"} <= set(names):
        raise UnreadableFile("has raw calls (messageId and type), which are not read from a bucket")
    values = {name: _member(name) for name in names}
    for given in _folder_values(source_file, ()):
        # A folder's value applies to records without a value for the key, whatever its case.
        own = [value.json for key, value in values.items() if key.lower() == given.name.lower()]
        text, as_json = (
            f"if({first_non_null(own)} is null, {sql}, null)" if own else sql for sql in (given.text, given.json)
        )
        exact = values.get(given.name, Value(given.name, "cast(null as string)", "cast(null as string)"))
        values[given.name] = Value(
            given.name, first_non_null([exact.text, text]), first_non_null([exact.json, as_json]), exact.is_number
        )
    matched, better = match_keys(table, list(values))
    declared = {column.name: column for column in table.columns}
    columns = {name: _best(declared[name], [values[key] for key in keys]) for name, keys in matched.items()}
    extras = []
    for key, others in better.items():
        taken = f"{first_non_null([values[other].json for other in others])} is null" if others else ""
        extras.append(Value(key, "", f"if({taken}, null, {values[key].json})") if taken else values[key])
    broken = (
        "case when parsed is null then 'is not JSON; write one object per line' "
        "when object is null then 'is JSON, but no object; write one object per line' end"
    )
    return Shape(jsonl_lines(scratch), columns, extras, "line", broken)


def _unquoted(key: str) -> str:
    """The key without quotes. JSON_KEYS quotes keys that must be quoted in a path."""
    return key[1:-1] if len(key) > 1 and key.startswith('"') and key.endswith('"') else key


def _member(key: str) -> Value:
    path = literal(f'$."{key}"')
    # JSON's null means no value, as in the other formats. The cast is needed only for an emulator whose function returns JSON.
    as_json = f"nullif(cast(json_query(object, {path}) as string), 'null')"
    # The id 42 may be written 42.0. A JSON string begins with a quote, so it never looks like this.
    whole = f"regexp_extract({as_json}, {literal('^(-?[0-9]+)[.]0+$')})"
    is_number = f"coalesce(regexp_contains({as_json}, '^[-0-9]'), false)"
    text = f"if({as_json} is null, null, coalesce({whole}, json_value(object, {path}), {as_json}))"
    return Value(key, text, as_json, is_number)


def _best(column: RawColumn, values: Sequence[Value]) -> Value:
    """The first of the values, the best first, that is not null."""
    part = "json" if column.type == "JSON" else "text"
    is_number = "false"
    for value in reversed(values):
        is_number = f"if({value.json} is null, {is_number}, {value.is_number})"
    return Value(column.name, first_non_null([getattr(value, part) for value in values]), "", is_number)
