"""SQL expressions that convert a value of a file into a value of a declared column. No files, no connection.

Every reader passes its records on as a relation of raw fields, and all of them are converted here. So a value means the
same in every format, in a clean file and in a broken one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sessionization_dagster.landing.rules import (
    BLANKS,
    EPOCH_UNITS,
    NULL_NUMBERS,
    NULL_WORD_BYTES,
    NULL_WORDS,
    SHAPES,
    WANTED,
    WHOLE_WITH_FRACTION,
)
from sessionization_dagster.landing.tables import RawColumn, RawTable
from sessionization_dagster.warehouses.quoting import literal

#: The type of a field that is text without a declared type: csv fields, and JSON values as text.
TEXT = "VARCHAR"

INTEGERS = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?")
FLOATS = ("FLOAT", "DOUBLE")
DECIMALS = re.compile(r"DECIMAL\(.*\)")
FRACTIONS = re.compile(rf"FLOAT|DOUBLE|{DECIMALS.pattern}")
NUMBERS = re.compile(rf"{INTEGERS.pattern}|{FRACTIONS.pattern}")
MOMENTS = re.compile(r"DATE|TIMESTAMP.*")
NESTED = re.compile(r".*\]|(STRUCT|MAP|UNION)\(.*\)|VARIANT|GEOMETRY.*", re.DOTALL)


@dataclass(frozen=True)
class Field:
    """One column of a file.

    Attributes:
        name: the name in the file.
        type: its DuckDB type; TEXT if the file has no types.
        sql: SQL of the value.
    """

    name: str
    type: str
    sql: str


@dataclass(frozen=True)
class Shape:
    """The form of a file's records, or of a batch of them. All SQL is over `relation`.

    Attributes:
        relation: SQL that can follow `from`: one row per record, in file order.
        columns: declared column -> the field that fills it.
        extras: fields that no declared column takes. They become the properties, in this order.
        number: the record's number, from 1.
        line: the line on which it starts, from 1; its number if the format has no lines.
        content: the record's text.
        broken: why the record as a whole is broken; null when it is not.
        source_file: the record's file, if there are several files.
        properties: the properties as JSON, if the reader has collected them itself.
    """

    relation: str
    columns: Mapping[str, Field]
    extras: Sequence[Field]
    number: str = "null"
    line: str = "null"
    content: str = "null"
    broken: str = "null"
    source_file: str = "null"
    properties: str = ""


def refusal(column: RawColumn, data_type: str) -> str | None:
    """Why no value of a field of this type can fill the column; None if values can."""
    if data_type in (TEXT, "JSON", '"NULL"') or column.type == "JSON":
        return None
    fitting = {
        "VARCHAR": not NESTED.fullmatch(data_type),
        "TIMESTAMP": bool(MOMENTS.fullmatch(data_type) or NUMBERS.fullmatch(data_type)),
        "DATE": bool(MOMENTS.fullmatch(data_type)),
        "BOOLEAN": data_type == "BOOLEAN",
    }
    if fitting.get(column.type, bool(NUMBERS.fullmatch(data_type))):
        return None
    return f"column {column.name!r} is {data_type} where {column.type} is wanted; write it as {column.type}"


def landed_columns(table: RawTable, shape: Shape) -> dict[str, str]:
    """Column of the raw table -> the column of `converted` that fills it. Columns that the file lacks are left out."""
    places = {column.name: index for index, column in enumerate(table.columns)}
    return {name: f"v{places[name]}" for name in shape.columns} | {"properties": "properties"}


def converted(table: RawTable, shape: Shape) -> str:
    """A query over the shape's relation: one row per record, in order.

    Columns: those of `landed_columns`, number, line, content, of_file, problem (null for a row that can be landed).
    """
    raw = [
        f"{shape.properties or properties(shape.extras)} as properties",
        f"{shape.number} as number",
        f"{shape.line} as line",
    ]
    raw += [f"{shape.content} as content", f"{shape.broken} as broken", f"{shape.source_file} as of_file"]
    parsed, checked, problems = ["*"], ["*"], ["when broken is not null then broken"]
    for index, column in enumerate(table.columns):
        field = shape.columns.get(column.name)
        if field is None:
            continue
        if _always_fits(column.type, field.type):
            raw.append(f"{_parsed(column.type, field.type, field.sql)} as p{index}")
            checked.append(f"{_checked(column, f'p{index}')} as v{index}")
            continue
        raw.append(f"{_without_nan(field)} as r{index}")
        parsed.append(f"{_parsed(column.type, field.type, f'r{index}')} as p{index}")
        checked.append(f"{_checked(column, f'p{index}')} as v{index}")
        problems.append(_problem(column, field.type, index))
    # One step per subquery, so that DuckDB computes each value once, however often it is used.
    first = f"select {', '.join(raw)} from {shape.relation}"
    second = f"select {', '.join(parsed)} from ({first})"
    third = f"select {', '.join(checked)} from ({second})"
    return f"select *, case {' '.join(problems)} end as problem from ({third})"


def properties(extras: Sequence[Field]) -> str:
    """SQL of one JSON object of all non-null extras; null if there are no extras."""
    if not extras:
        return "cast(null as json)"
    pairs = [
        f"{literal(json.dumps(field.name, ensure_ascii=False) + ':')} || {_json_text(field.type, field.sql)}"
        for field in extras
    ]
    # concat_ws leaves nulls out.
    return f"cast(nullif('{{' || concat_ws(',', {', '.join(pairs)}) || '}}', '{{}}') as json)"


def _json_text(data_type: str, value: str) -> str:
    """SQL of a value as JSON text; null where the value is null."""
    if data_type == "JSON":
        return f"cast({value} as varchar)"
    if data_type in FLOATS:
        value = f"case when isfinite({value}) then {value} end"  # JSON has no NaN
    if data_type == "BLOB":
        value = f"coalesce(try(decode({value})), cast({value} as varchar))"
    return f"cast(to_json({value}) as varchar)"


def _without_nan(field: Field) -> str:
    """SQL of a field in which NaN is null. pandas writes NaN for a missing number."""
    return f"case when not isnan({field.sql}) then {field.sql} end" if field.type in FLOATS else field.sql


def _always_fits(wanted: str, data_type: str) -> bool:
    """Whether every value of the field's type has an equivalent in the wanted type."""
    always = {"VARCHAR": data_type != "BLOB", "JSON": data_type != TEXT}
    return always.get(wanted, False) or data_type == '"NULL"'


def _parsed(wanted: str, data_type: str, value: str) -> str:
    """SQL of the value in the wanted type; null if it cannot be converted."""
    if data_type == '"NULL"':
        return f"cast(null as {wanted})"
    if wanted == "VARCHAR":
        return _as_text(data_type, value)
    if wanted == "JSON":
        if data_type == TEXT:
            return f"case when json_valid({value}) then cast({value} as json) end"
        return value if data_type == "JSON" else f"cast({_json_text(data_type, value)} as json)"
    if data_type == "JSON":
        text = _from_text(wanted, f"({value} ->> '$')")
        return f"coalesce({text}, {_from_json_number(value)})" if wanted == "TIMESTAMP" else text
    if data_type == TEXT:
        return _from_text(wanted, value)
    if wanted == "TIMESTAMP" and NUMBERS.fullmatch(data_type):
        # A float of seconds since 1970 is exact to a microsecond, but to no more digits.
        return _from_epoch(f"try_cast({value} as decimal(38, {6 if data_type in FLOATS else 9}))")
    if wanted in ("TIMESTAMP", "DATE"):
        return f"try_cast({_as_timestamp(data_type, value)} as {wanted})"
    if wanted in ("INTEGER", "BIGINT") and FRACTIONS.fullmatch(data_type):
        return f"case when {value} = floor({value}) then try_cast({value} as {wanted}) end"
    return f"try_cast({value} as {wanted})"


def _as_text(data_type: str, value: str) -> str:
    """SQL of a scalar as text: 42, true, 1.5, 2024-01-31 23:59:59.

    pandas turns a column of ids into floats if some are missing, and databases export decimal places. So 42.0 and 42.00 are the id 42.
    """
    if data_type == TEXT:
        return value
    if data_type == "JSON":
        # DuckDB writes the fraction of a whole number as .0. JSON text ends in a quote, so it never looks like this.
        return f"(case when suffix(cast({value} as varchar), '.0') then {value}[:-3] else {value} ->> '$' end)"
    if data_type in FLOATS:
        whole = f"{value} = trunc({value}) and abs({value}) < {2**63}"
        text = f"when {whole} then cast(try_cast({value} as bigint) as varchar) else cast({value} as varchar)"
        return f"case when not isfinite({value}) then null {text} end"
    if DECIMALS.fullmatch(data_type):
        whole = f"{value} = trunc({value})"
        return f"case when {whole} then cast(cast({value} as hugeint) as varchar) else cast({value} as varchar) end"
    if data_type == "BLOB":
        return f"try(decode({value}))"
    if MOMENTS.fullmatch(data_type) and data_type != "DATE":
        value = _as_timestamp(data_type, value)
    return f"cast({value} as varchar)"


def _from_text(wanted: str, value: str) -> str:
    """SQL of text in a type that is not text."""
    cast = f"try_cast({value} as {wanted})"
    if wanted == "TIMESTAMP":
        # A cast to TIMESTAMP ignores the offset. A cast to timestamptz applies it; without an offset it takes the session's zone, UTC.
        # It does not accept a blank before the offset or UTC after it. Only such values are rewritten, by coalesce.
        plain = f"regexp_replace({value}, '([+-][0-9:]+) ?UTC\\s*$', '\\1')"
        plain = f"regexp_replace(regexp_replace({plain}, ' ?UTC\\s*$', 'Z'), '([0-9]) (Z|[+-])', '\\1\\2')"
        moment = f"coalesce(try_cast({value} as timestamptz), try_cast({plain} as timestamptz))"
        cast = f"make_timestamp(epoch_us({moment}))"
    return f"case when regexp_full_match({value}, {literal(SHAPES[wanted])}) then {cast} end"


def _from_json_number(value: str) -> str:
    """SQL of a JSON number as a moment; null for any other JSON."""
    number = f"try_cast(({value} ->> '$') as decimal(38, 9))"
    return f"case when json_type({value}) in ('UBIGINT', 'BIGINT', 'DOUBLE') then {_from_epoch(number)} end"


def _from_epoch(number: str) -> str:
    """SQL of a decimal of seconds, milliseconds or microseconds since 1970 as a moment; null if its length fits no unit.

    Digits below a microsecond are cut off.
    """
    units = [
        f"when {number} >= {least} and {number} < {least}0 then {number} * {microseconds}"
        for least, microseconds in EPOCH_UNITS
    ]
    return f"make_timestamp(cast(floor(case {' '.join(units)} end) as bigint))"


def _as_timestamp(data_type: str, value: str) -> str:
    """SQL of a moment as naive UTC microseconds, rounded down. DuckDB's own cast would round nanoseconds to the nearest microsecond."""
    if data_type.endswith("_NS"):
        nanoseconds = f"epoch_ns({value})"
        return f"make_timestamp(({nanoseconds} - ({nanoseconds} % 1000 + 1000) % 1000) // 1000)"
    # A cast of TIMESTAMP WITH TIME ZONE would give local time.
    moment = value if data_type.startswith("TIMESTAMP") else f"try_cast({value} as timestamp)"
    # DuckDB skips a comparison that a parquet file's statistics decide, although a damaged page may hold other values.
    # `try` prevents this.
    return f"try(make_timestamp(epoch_us({moment})))"


def _checked(column: RawColumn, value: str) -> str:
    """SQL that turns values into null that the type allows but a raw table does not: years out of range, infinities, null words."""
    if column.type == "VARCHAR":
        return _checked_text(column, value)
    if column.type == "JSON":
        return value if column.required else f"nullif({value}, 'null')"
    if column.type in ("TIMESTAMP", "DATE"):
        bounds = "timestamp '0001-01-01' and timestamp '9999-12-31 23:59:59.999999'"
        return f"case when {value} between {bounds} then {value} end"
    if column.type == "DOUBLE":
        return f"case when isfinite({value}) then {value} end"
    return value


def _checked_text(column: RawColumn, value: str) -> str:
    """SQL of a text. An id loses blanks around it and a fraction of zeros. An optional text that is a null word becomes null."""
    trimmed = f"trim({value}, {literal(BLANKS)})"
    if column.is_id:
        whole = f"regexp_replace({trimmed}, {literal(WHOLE_WITH_FRACTION)}, '\\1')"
        # Few ids need this, and the test costs a tenth of the conversion. In the order of characters, blanks come before `!`.
        is_odd = f"{value} < '!' or suffix({value}, '.0') or suffix({value}, '00') or right({value}, 1) < '!'"
        value = f"case when {is_odd} then {whole} else {value} end"
    if column.required:
        return value
    # Most texts are longer, and comparing each with the words would cost more than parsing it.
    is_word = f"strlen({value}) <= {NULL_WORD_BYTES} and {_is_one_of(f'lower({trimmed})', ('', *NULL_WORDS))}"
    return f"case when {is_word} or ({value} < '!' and {trimmed} = '') then null else {value} end"


def _is_one_of(value: str, words: Sequence[str]) -> str:
    """SQL: the value is one of the words. DuckDB turns `in` into a join, which does not keep the order of rows."""
    return f"({' or '.join(f'{value} = {literal(word)}' for word in words)})"


def _problem(column: RawColumn, data_type: str, index: int) -> str:
    """A branch of `case` for a value that did not become one of the column's type."""
    # A text that is a null word was converted to text and then to null.
    lost = f"{'p' if column.type == 'VARCHAR' else 'v'}{index} is null and r{index} is not null"
    value = f"(r{index} ->> '$')" if data_type == "JSON" else f"cast(r{index} as varchar)"
    if data_type in (TEXT, "JSON"):
        # Tested only for lost values, because trimming every value costs more than parsing it.
        words = ("",) if column.required else ("", *NULL_NUMBERS)
        is_word = _is_one_of(f"lower(trim({value}, {literal(BLANKS)}))", words)
        lost = f"case when {lost} then coalesce(not {is_word}, false) else false end"
    before, after = f"column {column.name!r}: '", f"' is not {WANTED[column.type]}"
    return f"when {lost} then {literal(before)} || left({value}, 100) || {literal(after)}"
