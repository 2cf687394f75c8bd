"""The rules for values in files. The SQL for the folder and the SQL for the bucket are both made from them. Constants only."""

from __future__ import annotations

# DuckDB's own casts also accept `epoch`, `infinity`, `2024-1-1`, `0x1f`, `1_000`, and round 1.5 to an integer, so the
# shape is checked first.
_DAY = r"\d{4}-\d{2}-\d{2}"
_OFFSET = r" ?(Z|UTC|[+-](0\d|1[0-5])(:?[0-5]\d)?( ?UTC)?)"
#: The shape of a type's text, as a regular expression that must match all of it.
SHAPES = {
    "TIMESTAMP": rf"\s*{_DAY}([T ]\d{{2}}:\d{{2}}(:\d{{2}}(\.\d{{0,9}})?)?({_OFFSET})?)?\s*",
    "DATE": rf"\s*{_DAY}\s*",
    "BOOLEAN": r"\s*(?i:true|false|t|f|1|0)\s*",
    "INTEGER": r"\s*[+-]?\d+(\.0*)?\s*",
    "BIGINT": r"\s*[+-]?\d+(\.0*)?\s*",
    "DOUBLE": r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*",
}
#: Null words in lower case. In an optional column they are no value, like blank text.
NULL_WORDS = ("null", "\\n", "none", "nat")
#: Texts with more bytes, including blanks around them, are not null words.
NULL_WORD_BYTES = 6
#: Null words for numbers and times.
NULL_NUMBERS = (*NULL_WORDS, "nan")
#: A whole number with a fraction of zeros. pandas writes ids like this if some are missing. Group 1 is the id.
WHOLE_WITH_FRACTION = r"^(-?(?:0|[1-9][0-9]*))\.0+$"
BLANKS = " \t\n\v\f\r"
#: (smallest number, microseconds in one unit) of numbers that are times. Each unit has its own length: 10, 13 or 16 digits.
EPOCH_UNITS = ((10**9, 10**6), (10**12, 10**3), (10**15, 1))
#: The allowed values, as text after "is not".
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
