"""What a value in a file means: the rules that the folder's SQL and the bucket's are both made from. Constants only."""

from __future__ import annotations

# DuckDB's own casts also accept `epoch`, `infinity`, `2024-1-1`, `0x1f`, `1_000`, and round 1.5 to an integer: the
# shape is asked for first.
_DAY = r"\d{4}-\d{2}-\d{2}"
_OFFSET = r" ?(Z|UTC|[+-](0\d|1[0-5])(:?[0-5]\d)?( ?UTC)?)"
#: What text of a type looks like, as a regular expression that has to match all of it.
SHAPES = {
    "TIMESTAMP": rf"\s*{_DAY}([T ]\d{{2}}:\d{{2}}(:\d{{2}}(\.\d{{0,9}})?)?({_OFFSET})?)?\s*",
    "DATE": rf"\s*{_DAY}\s*",
    "BOOLEAN": r"\s*(?i:true|false|t|f|1|0)\s*",
    "INTEGER": r"\s*[+-]?\d+(\.0*)?\s*",
    "BIGINT": r"\s*[+-]?\d+(\.0*)?\s*",
    "DOUBLE": r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*",
}
#: Text that is no value in an optional column, in small letters, besides blank text.
NULL_WORDS = ("null", "\\n", "none", "nat")
#: Longer texts, blanks around them included, are no such words.
NULL_WORD_BYTES = 6
#: The same, where numbers or times are wanted.
NULL_NUMBERS = (*NULL_WORDS, "nan")
#: A whole number with a fraction of zeros, as pandas writes ids of which some are missing; group 1 is the id.
WHOLE_WITH_FRACTION = r"^(-?(?:0|[1-9][0-9]*))\.0+$"
BLANKS = " \t\n\v\f\r"
#: (least number, microseconds in one): what a number is where a time is wanted. Each unit has a length of its own: 10, 13, 16 digits.
EPOCH_UNITS = ((10**9, 10**6), (10**12, 10**3), (10**15, 1))
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
