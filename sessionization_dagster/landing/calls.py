"""Turns raw calls, as RudderStack and Segment dump them, into rows of the tables that their loaders write. Pure; no SQL, no files."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from math import isfinite
from typing import Any, NoReturn

#: Keys of a call whose column does not have the key's name in lower case.
_NAMES = {"messageId": "id"}
#: A call's name is its `event` or its `name`. SDKs differ: some write a screen's as event.
_TITLES = ("event", "name")
#: Keys of a call that hold objects.
_OBJECTS = ("context", "properties", "traits")
#: The call's own fields, which no property or trait replaces.
_OWN = ("id", "timestamp", "event", "anonymous_id", "user_id", "previous_id", "received_at")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SEPARATOR = re.compile(r"[^0-9A-Za-z]+")


def is_call(record: Mapping[str, Any]) -> bool:
    """Whether a JSON object is a raw call."""
    return "messageId" in record and "type" in record


def parsed_call(text: str) -> dict[str, Any] | None:
    """The call in a line of JSON; None if it is not a call. Raises ValueError or RecursionError for text that is not JSON."""
    record = json.loads(text, parse_float=_number, parse_constant=no_constant)
    if not isinstance(record, dict) or not is_call(record):
        return None
    objects = {key: json_object(record[key]) for key in _OBJECTS if isinstance(record.get(key), str)}
    return record | {key: found for key, found in objects.items() if found is not None}


def json_object(text: str) -> dict[str, Any] | None:
    """The object in a JSON text; None for any other text. Dumps that come from a table may have a call's objects as JSON texts."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        # Python writes NaN into such texts, which is no value.
        found = json.loads(text, parse_float=_number, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def call_row(
    call: Mapping[str, Any], columns: Collection[str], given: Mapping[str, str] | None = None
) -> tuple[str, str | None]:
    """The call as JSON: an object of the declared columns, and an object of everything else; None if there is nothing else.

    Names are those that the loaders give: `context.page.url` is context_page_url. Properties and traits fill columns of their name;
    the others keep their name. `given` has values of the file's folders, for calls that have no value of that name.
    """
    row: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    outer: dict[str, Any] = {}
    for name, value in _outer_fields(call):
        (row if name in columns else outer).setdefault(name, value)
    row["timestamp"] = row.get("timestamp") or outer.get("original_timestamp")
    if "context_ip" in columns and "context_ip" not in row and "request_ip" in outer:
        # The address that the vendor's server saw. The loaders take it if the sender gave no address.
        row["context_ip"] = outer.pop("request_ip")
    for name, value in _inner_fields(call):
        column = snake_case(name)
        if column in columns and column not in _OWN and row.get(column) is None:
            row[column] = value
        else:
            rest.setdefault(name, value)
    for name, other in (_TITLES, _TITLES[::-1]):
        if name in columns and row.get(name) is None and other in outer:
            row[name] = outer[other]
    for name, value in outer.items():
        # A name that the sender chose stays. Like the loaders, put an underscore before a name that is taken.
        rest.setdefault(f"_{name}" if name in rest else name, value)
    _add_given(row, rest, columns, given or {})
    return _json(row), _json(rest) if rest else None


def snake_case(name: str) -> str:
    """The column name that the loaders give a key: `userAgent` becomes user_agent."""
    return _SEPARATOR.sub("_", _HUMP.sub("_", name)).lower()


def _outer_fields(call: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Column name -> value, for fields that are neither property nor trait. The context's fields are flattened."""
    for key, value in call.items():
        if key == "context" and isinstance(value, dict):
            yield from _flat("context", value)
        elif key != "type" and value is not None and not (key in ("properties", "traits") and isinstance(value, dict)):
            yield _NAMES.get(key) or snake_case(key), value


def _inner_fields(call: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Properties and traits. SDKs put an identify call's traits into its context as well, or only there."""
    context = call.get("context")
    within = context.get("traits") if isinstance(context, dict) and call["type"] == "identify" else None
    for fields in (call.get("properties"), call.get("traits"), within):
        for name, value in fields.items() if isinstance(fields, dict) else ():
            if value is not None:
                yield name, value


def _add_given(row: dict[str, Any], rest: dict[str, Any], columns: Collection[str], given: Mapping[str, str]) -> None:
    """Adds values of the file's folders that the call lacks, to the declared columns and to the rest. The case of names is ignored."""
    own = {"type", *(name.lower() for name in rest)}
    for name, value in given.items():
        if name.lower() in columns:
            row[name.lower()] = value if row.get(name.lower()) is None else row[name.lower()]
        elif name.lower() not in own:
            rest[name] = value


def _flat(prefix: str, fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields of nested objects. Each name is made of the names on the path to the field."""
    for key, value in fields.items():
        name = f"{prefix}_{snake_case(key)}"
        if isinstance(value, dict):
            yield from _flat(name, value)
        elif value is not None:
            yield name, value


def _json(fields: Mapping[str, Any]) -> str:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def _number(text: str) -> float | str:
    """A number with a fraction; as text if no float can hold it."""
    number = float(text)
    return number if isfinite(number) else text


def no_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity: JSON has neither, but Python's parser accepts them."""
    raise ValueError(f"{name} is not a JSON number")
