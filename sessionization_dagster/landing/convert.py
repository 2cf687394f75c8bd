"""How a value as a file has it becomes a value of a declared column: SQL expressions. No files, no connection.

Every reader hands its records over as a relation of raw fields, and all of them are converted here, so that a value
means the same in every format, and in a clean file as in a broken one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sessionization_dagster.landing.tables import RawColumn, RawTable
from sessionization_dagster.warehouses.text import literal

#: The type of a field that is text without a declared type: csv fields, and JSON values as text.
TEXT = "VARCHAR"

INTEGERS = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?")
FLOATS = ("FLOAT", "DOUBLE")
DECIMALS = re.compile(r"DECIMAL\(.*\)")
FRACTIONS = re.compile(rf"FLOAT|DOUBLE|{DECIMALS.pattern}")
MOMENTS = re.compile(r"DATE|TIMESTAMP.*")
NESTED = re.compile(r".*\]|(STRUCT|MAP|UNION)\(.*\)|VARIANT|GEOMETRY.*", re.DOTALL)

# DuckDB's own casts also accept `epoch`, `infinity`, `2024-1-1`, `0x1f`, `1_000`, and round 1.5 to an integer: the
# shape is asked for first.
_DAY = r"\d{4}-\d{2}-\d{2}"
_OFFSET = r" ?(Z|UTC|[+-](0\d|1[0-5])(:?[0-5]\d)?( UTC)?)"
#: What text of a type looks like, as a regular expression that has to match all of it.
SHAPES = {
    "TIMESTAMP": rf"\s*{_DAY}([T ]\d{{2}}:\d{{2}}(:\d{{2}}(\.\d{{0,9}})?)?({_OFFSET})?)?\s*",
    "DATE": rf"\s*{_DAY}\s*",
    "BOOLEAN": r"\s*(?i:true|false|t|f|1|0)\s*",
    "INTEGER": r"\s*[+-]?\d+(\.0*)?\s*",
    "BIGINT": r"\s*[+-]?\d+(\.0*)?\s*",
    "DOUBLE": r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*",
}
_LOOSE_OFFSET = r"\s*(Z|[+-]\d{2}(?::?\d{2})?)(?: UTC)?\s*$"
#: What databases and libraries write where there is no value. In a column that may be absent it is none.
NULL_WORD = r"\s*(?i:null|\\N|none|nat)?\s*"
#: Longer texts are not looked at for null words: most texts are longer, and to look at each would cost more than to parse it.
NULL_WORD_LETTERS = 6
#: Blanks around an id, which are no part of it.
BLANKS = " \t\r\n\u00a0"
#: An id as a library writes it that keeps numbers with missing ones among them as floats.
FLOAT_ID = r"-?\d+\.0+"
#: What is wanted of a value, to be read after "is not".
WANTED = {
    "VARCHAR": "text; write it in UTF-8",
    "TIMESTAMP": "a time between the years 1 and 9999; write it like 2024-01-31T23:59:59.123456Z",
    "DATE": "a date between the years 1 and 9999; write it like 2024-01-31",
    "JSON": 'JSON; write it like {"key": 1}',
    "BOOLEAN": "true or false",
    "INTEGER": "a whole number of at most 32 bits",
    "BIGINT": "a whole number of at most 64 bits",
    "DOUBLE": "a finite number",
}


@dataclass(frozen=True)
class Field:
    """One column of a file.

    Attributes:
        name: as the file spells it.
        type: its DuckDB type; TEXT where the file has none.
        sql: the value.
    """

    name: str
    type: str
    sql: str


@dataclass(frozen=True)
class Shape:
    """What the records of a file, or of a batch of its records, look like. All SQL is over `relation`.

    Attributes:
        relation: SQL that can follow `from`: one row per record, in file order.
        columns: declared column -> the field that fills it.
        extras: fields that no declared column takes: they become the properties, in this order.
        number: of the record, from 1.
        line: on which it starts, from 1; its number, where a format has no lines.
        content: its text.
        broken: why the record as a whole is broken; null when it is not.
        source_file: which file it is of, where there are several.
    """

    relation: str
    columns: Mapping[str, Field]
    extras: Sequence[Field]
    number: str = "null"
    line: str = "null"
    content: str = "null"
    broken: str = "null"
    source_file: str = "null"


def refusal(column: RawColumn, data_type: str) -> str | None:
    """Why a field of this type cannot fill the column, whatever its values; null when it can."""
    if data_type in (TEXT, "JSON", '"NULL"') or column.type == "JSON":
        return None
    fitting = {
        "VARCHAR": not NESTED.fullmatch(data_type),
        "TIMESTAMP": bool(MOMENTS.fullmatch(data_type) or _is_number(data_type)),
        "DATE": bool(MOMENTS.fullmatch(data_type)),
        "BOOLEAN": data_type == "BOOLEAN",
    }
    if fitting.get(column.type, _is_number(data_type)):
        return None
    return f"column {column.name!r} is {data_type} where {column.type} is wanted; write it as {column.type}"


def _is_number(data_type: str) -> bool:
    return bool(INTEGERS.fullmatch(data_type) or FRACTIONS.fullmatch(data_type))


def landed_columns(table: RawTable, shape: Shape) -> dict[str, str]:
    """Column of the raw table -> column of `converted` that fills it. Columns that the file lacks are left out."""
    places = {column.name: index for index, column in enumerate(table.columns)}
    return {name: f"v{places[name]}" for name in shape.columns} | {"properties": "properties"}


def converted(table: RawTable, shape: Shape) -> str:
    """A query over the shape's relation: one row per record, in order.

    Columns: those of `landed_columns`, number, line, content, of_file, problem (null for a row that can be landed).
    """
    raw = [f"{properties(shape.extras)} as properties", f"{shape.number} as number", f"{shape.line} as line"]
    raw += [f"{shape.content} as content", f"{shape.broken} as broken", f"{shape.source_file} as of_file"]
    parsed, checked, problems = ["*"], ["*"], ["when broken is not null then broken"]
    for index, column in enumerate(table.columns):
        field = shape.columns.get(column.name)
        if field is None:
            continue
        if _always_fits(column.type, field.type):
            raw.append(
                f"{_as_id(column, field.type, _parsed(column.type, field.type, _value(column, field)))} as v{index}"
            )
            continue
        raw.append(f"{_value(column, field)} as r{index}")
        parsed.append(f"{_parsed(column.type, field.type, f'r{index}')} as p{index}")
        checked.append(f"{_checked(column.type, f'p{index}')} as v{index}")
        problems.append(_problem(column, field.type, index))
    # One step per subquery: DuckDB then computes each value once, however often it is looked at.
    first = f"select {', '.join(raw)} from {shape.relation}"
    second = f"select {', '.join(parsed)} from ({first})"
    third = f"select {', '.join(checked)} from ({second})"
    return f"select *, case {' '.join(problems)} end as problem from ({third})"


def properties(extras: Sequence[Field]) -> str:
    """SQL of one JSON object of all non-null extras; null when there are none."""
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


def _value(column: RawColumn, field: Field) -> str:
    """SQL of a field: NaN, which is what pandas makes of a missing number, is no value, nor is a null word of an optional column."""
    if field.type in FLOATS and column.type != "VARCHAR":
        return f"case when not isnan({field.sql}) then {field.sql} end"
    if column.required or field.type not in (TEXT, "JSON"):
        return field.sql
    text = f"({field.sql} ->> '$')" if field.type == "JSON" else field.sql
    # Not `in (...)`: DuckDB makes a join of it, which loses the order of rows.
    is_none = f"length({text}) <= {NULL_WORD_LETTERS} and regexp_full_match({text}, {literal(NULL_WORD)})"
    return f"case when not coalesce({is_none}, false) then {field.sql} end"


def _as_id(column: RawColumn, data_type: str, text: str) -> str:
    """SQL of the text of an id: without blanks around it, and a whole number without its fraction. Types other than text bring neither."""
    if not column.is_id or data_type not in (TEXT, "JSON"):
        return text
    trimmed = f"trim({text}, {literal(BLANKS)})"
    is_float = f"regexp_full_match({trimmed}, {literal(FLOAT_ID)})"
    return (
        f"case when contains({text}, '.0') and {is_float} then split_part({trimmed}, '.', 1) "
        f"when {text} <> {trimmed} then {trimmed} else {text} end"
    )


def _always_fits(wanted: str, data_type: str) -> bool:
    """Whether every value of the field's type has its counterpart in the wanted one."""
    always = {"VARCHAR": data_type != "BLOB", "JSON": data_type != TEXT}
    return always.get(wanted, False) or data_type == '"NULL"'


def _parsed(wanted: str, data_type: str, value: str) -> str:
    """SQL of the value in the wanted type; null where that cannot be."""
    if data_type == '"NULL"':
        return f"cast(null as {wanted})"
    if wanted == "VARCHAR":
        return _as_text(data_type, value)
    if wanted == "JSON":
        if data_type == TEXT:
            return f"case when json_valid({value}) then cast({value} as json) end"
        return value if data_type == "JSON" else f"cast({_json_text(data_type, value)} as json)"
    if data_type == "JSON":
        return _from_json(wanted, value)
    if data_type == TEXT:
        return _from_text(wanted, value)
    if wanted == "TIMESTAMP" and _is_number(data_type):
        # A float is exact to less than a microsecond of a second, and not to more.
        return _since_1970(value, digits=6 if data_type in FLOATS else 9)
    if wanted in ("TIMESTAMP", "DATE"):
        return f"try_cast({_as_timestamp(data_type, value)} as {wanted})"
    if wanted in ("INTEGER", "BIGINT") and FRACTIONS.fullmatch(data_type):
        return f"case when {value} = floor({value}) then try_cast({value} as {wanted}) end"
    return f"try_cast({value} as {wanted})"


def _as_text(data_type: str, value: str) -> str:
    """SQL of a scalar as text: 42, true, 1.5, 2024-01-31 23:59:59.

    pandas makes floats of a column of ids of which some are missing, and databases export places: 42.0 and 42.00 are the id 42.
    """
    if data_type == TEXT:
        return value
    if data_type == "JSON":
        # DuckDB writes the fraction of a whole number as .0; text ends in a quote and never looks so.
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
    if wanted != "TIMESTAMP":
        return f"case when regexp_full_match({value}, {literal(SHAPES[wanted])}) then try_cast({value} as {wanted}) end"
    # DuckDB takes an offset without a blank before it, and without another zone after it.
    plain = f"regexp_replace({value}, {literal(_LOOSE_OFFSET)}, {literal(chr(92) + '1')})"
    return (
        f"case when regexp_full_match({value}, {literal(SHAPES[wanted])}) "
        f"then coalesce({_with_offset(value)}, {_with_offset(plain)}) end"
    )


def _from_json(wanted: str, value: str) -> str:
    """SQL of a JSON value in a type that is not text. A number may be a moment; a string of digits is none."""
    text = _from_text(wanted, f"({value} ->> '$')")
    if wanted != "TIMESTAMP":
        return text
    number = _since_1970(f"({value} ->> '$')")
    return f"case when json_type({value}) <> 'VARCHAR' then {number} else {text} end"


def _with_offset(value: str) -> str:
    """SQL of a text as a moment: a cast to TIMESTAMP would ignore the offset. Without one it takes the session's zone, UTC."""
    return f"make_timestamp(epoch_us(try_cast({value} as timestamptz)))"


def _since_1970(value: str, digits: int = 9) -> str:
    """SQL of a number, or of JSON's text of one, as a moment: seconds, milliseconds or microseconds by its size; null for other sizes.

    digits: after the point that count; what is less than a microsecond is cut off.
    """
    number = f"try_cast({value} as decimal(25, {digits}))"
    sizes = " ".join(
        f"when {number} >= {10 ** (size - 1)} and {number} < {10**size} then {number} * {factor}"
        for size, factor in ((10, 1_000_000), (13, 1_000), (16, 1))
    )
    return f"make_timestamp(try_cast(floor(case {sizes} end) as bigint))"


def _as_timestamp(data_type: str, value: str) -> str:
    """SQL of a moment as naive UTC microseconds, rounded down: DuckDB's own cast rounds nanoseconds to the nearest."""
    if data_type.endswith("_NS"):
        nanoseconds = f"epoch_ns({value})"
        return f"make_timestamp(({nanoseconds} - ({nanoseconds} % 1000 + 1000) % 1000) // 1000)"
    # A cast of TIMESTAMP WITH TIME ZONE would give local time.
    moment = value if data_type.startswith("TIMESTAMP") else f"try_cast({value} as timestamp)"
    # DuckDB leaves comparisons out where a parquet file's statistics answer them, though a damaged page may say otherwise.
    # It does not look through `try`.
    return f"try(make_timestamp(epoch_us({moment})))"


def _checked(wanted: str, value: str) -> str:
    """SQL that makes null what the type can hold but a raw table must not: other calendars' years, infinities."""
    if wanted in ("TIMESTAMP", "DATE"):
        bounds = "timestamp '0001-01-01' and timestamp '9999-12-31 23:59:59.999999'"
        return f"case when {value} between {bounds} then {value} end"
    if wanted == "DOUBLE":
        return f"case when isfinite({value}) then {value} end"
    return value


def _problem(column: RawColumn, data_type: str, index: int) -> str:
    """A branch of `case` for a value that did not become one of the column's type."""
    lost = f"v{index} is null and r{index} is not null"
    value = f"(r{index} ->> '$')" if data_type == "JSON" else f"cast(r{index} as varchar)"
    if data_type in (TEXT, "JSON"):
        # Blank text is no value. Only asked of what is lost: trimming every value costs more than parsing it.
        lost = f"case when {lost} then coalesce(trim({value}) <> '', false) else false end"
    before, after = f"column {column.name!r}: '", f"' is not {WANTED[column.type]}"
    return f"when {lost} then {literal(before)} || left({value}, 100) || {literal(after)}"
