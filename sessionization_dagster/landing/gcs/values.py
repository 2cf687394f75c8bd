"""Expressions of BigQuery's SQL that convert a value of a file into a value of a declared column, with the rules of the folder's landing.

All values come as text. Whether one is a number, a time or JSON is decided by its characters, so it means the same in every format.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
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
from sessionization_dagster.landing.tables import RawColumn

#: Type of a declared column -> BigQuery's.
TYPES = {
    "VARCHAR": "STRING",
    "TIMESTAMP": "TIMESTAMP",
    "DATE": "DATE",
    "JSON": "JSON",
    "BOOLEAN": "BOOL",
    "INTEGER": "INT64",
    "BIGINT": "INT64",
    "DOUBLE": "FLOAT64",
}
# A time without its offset has at least minutes: 16 characters.
_TIME = "^.{16}"


@dataclass(frozen=True)
class Value:
    """A field of a record.

    Attributes:
        name: the name in the file.
        text: SQL of it as text; null if it has no value.
        json: SQL of it as JSON text; null if it has no value.
        is_number: SQL for whether the file has it as a number.
    """

    name: str
    text: str
    json: str
    is_number: str = "false"


def literal(text: str) -> str:
    """The text as a string constant."""
    # JSON's escapes are BigQuery's too.
    inside = json.dumps(text, ensure_ascii=False)[1:-1].replace('\\"', '"')
    return "'" + inside.replace("'", "\\'") + "'"


def quoted(name: str) -> str:
    """The name as an identifier."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def matches(value: str, shape: str) -> str:
    """SQL: the whole value is of this shape, a regular expression."""
    return f"regexp_contains({value}, {literal(f'^(?:{shape})$')})"


def converted(column: RawColumn, value: str, is_number: str = "false") -> str:
    """SQL of a text as a value of the column; null if it cannot be converted. is_number: SQL for whether the file has it as a number."""
    if column.type == "VARCHAR":
        return _text(column, value)
    if column.type == "JSON":
        return parsed_json(value if column.required else f"nullif({value}, 'null')")
    matching = f"if({matches(value, SHAPES[column.type])}, {_cast(column.type, f'trim({value})')}, null)"
    if column.type == "TIMESTAMP" and is_number != "false":
        return f"if({is_number}, {_from_epoch(value)}, {matching})"
    return matching


def _text(column: RawColumn, value: str) -> str:
    """SQL of a text. An id loses blanks around it and a fraction of zeros. An optional text that is a null word becomes null."""
    if column.is_id:
        value = f"regexp_replace({trimmed(value)}, {literal(WHOLE_WITH_FRACTION)}, {literal(chr(92) + '1')})"
    if column.required:
        return value
    words = ", ".join(map(literal, ("", *NULL_WORDS)))
    return f"if(byte_length({value}) <= {NULL_WORD_BYTES} and lower({trimmed(value)}) in ({words}) or {trimmed(value)} = '', null, {value})"


def _from_epoch(value: str) -> str:
    """SQL of the text of a number of seconds, milliseconds or microseconds since 1970 as a moment."""
    number = f"safe_cast({value} as bignumeric)"
    units = " ".join(
        f"when {number} >= {least} and {number} < {least}0 then {number} * {microseconds}"
        for least, microseconds in EPOCH_UNITS
    )
    return f"timestamp_micros(safe_cast(floor(case {units} end) as int64))"


def trimmed(value: str) -> str:
    """SQL of a text without blanks around it."""
    return f"trim({value}, {literal(BLANKS)})"


def parsed_json(value: str) -> str:
    """SQL of JSON text as JSON; null if it is not JSON."""
    # Numbers that a float cannot hold are rounded to the nearest that it can.
    return f"safe.parse_json({value}, wide_number_mode => 'round')"


def _cast(wanted: str, text: str) -> str:
    """SQL of trimmed text that has the type's shape."""
    if wanted == "TIMESTAMP":
        return _timestamp(text)
    if wanted == "BOOLEAN":
        return f"lower({text}) in ('true', 't', '1')"
    if wanted == "DOUBLE":
        number = f"safe_cast({text} as float64)"
        return f"if(is_inf({number}), null, {number})"
    if wanted in ("INTEGER", "BIGINT"):
        number = f"safe_cast(regexp_replace({text}, {literal('[.]0*$')}, '') as int64)"
        return number if wanted == "BIGINT" else f"if({number} between -2147483648 and 2147483647, {number}, null)"
    return f"safe_cast({text} as {TYPES[wanted]})"


def _timestamp(text: str) -> str:
    """Microseconds in UTC; further digits are cut off. A cast alone requires seconds, at most six digits and an offset like +01:00."""

    def found(shape: str, otherwise: str) -> str:
        return f"coalesce(regexp_extract({text}, {literal(_TIME + shape)}), '{otherwise}')"

    minutes = f"coalesce(nullif(substr({text}, 12, 5), ''), '00:00')"
    # A second 60 would become the next minute's first.
    seconds = f"nullif({found(':([0-9]{2})', '00')}, '60')"
    fraction = f"rpad({found(':[0-9]{2}[.]([0-9]{1,6})', '0')}, 6, '0')"
    offset = f"{found('[^+-]*([+-][0-9]{2})', '+00')}, ':', {found('[^+-]*[+-][0-9]{2}:?([0-9]{2})', '00')}"
    whole = f"concat(substr({text}, 1, 10), ' ', {minutes}, ':', {seconds}, '.', {fraction}, {offset})"
    return f"safe_cast({whole} as timestamp)"


def problem(column: RawColumn, raw: str, value: str) -> str | None:
    """A branch of `case` for a text that did not become a value of the column; None if every text does. Blank text is no value."""
    if column.type == "VARCHAR":
        return None
    before, after = f"column {column.name!r}: '", f"' is not {WANTED[column.type]}"
    sentence = f"concat({literal(before)}, left({raw}, 100), {literal(after)})"
    words = ", ".join(map(literal, ("",) if column.required else ("", *NULL_NUMBERS)))
    return f"when {value} is null and lower({trimmed(raw)}) not in ({words}) then {sentence}"


def properties(extras: Sequence[Value]) -> str:
    """SQL of one JSON object of all extras that have a value; null if there are no extras."""
    if not extras:
        return "cast(null as json)"
    pairs = [f"concat({literal(json.dumps(extra.name, ensure_ascii=False) + ':')}, {extra.json})" for extra in extras]
    # array_to_string leaves nulls out.
    return parsed_json(f"nullif(concat('{{', array_to_string([{', '.join(pairs)}], ','), '}}'), '{{}}')")
