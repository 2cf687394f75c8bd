"""Raw calls, as RudderStack and Segment dump them, as rows of the tables that their warehouse loaders write. Pure; no SQL, no files."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from math import isfinite
from typing import Any

#: Keys of a call whose column is called otherwise than the key in small letters.
_NAMES = {"messageId": "id"}
#: What a call says of itself, which no property or trait replaces.
_OWN = ("id", "timestamp", "event", "anonymous_id", "user_id", "previous_id", "received_at")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SEPARATOR = re.compile(r"[^0-9A-Za-z]+")


def is_call(record: Mapping[str, Any]) -> bool:
    """Whether a JSON object is a raw call."""
    return "messageId" in record and "type" in record


def parsed_call(text: str) -> dict[str, Any] | None:
    """The call that a line of JSON is, or None. Raises ValueError or RecursionError for text that is not JSON."""
    record = json.loads(text, parse_float=_number, parse_constant=_no_constant)
    return record if isinstance(record, dict) and is_call(record) else None


def call_row(
    call: Mapping[str, Any], columns: Collection[str], given: Mapping[str, str] | None = None
) -> tuple[str, str | None]:
    """The call as JSON: an object of the declared columns, and one of all else; None where there is nothing else.

    Names are those that the loaders give: `context.page.url` is context_page_url. Properties and traits fill columns of their name;
    the others keep the name that they have. `given` are values of the file's folders, for calls that have none of that name.
    """
    row: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    outer: dict[str, Any] = {}
    for name, value in _outer_fields(call):
        (row if name in columns else outer).setdefault(name, value)
    row["timestamp"] = row.get("timestamp") or outer.get("original_timestamp")
    if "context_ip" in columns and "context_ip" not in row and "request_ip" in outer:
        # The address as the vendor's server saw it, which the loaders take where the sender gave none.
        row["context_ip"] = outer.pop("request_ip")
    for name, value in _inner_fields(call):
        column = snake_case(name)
        if column in columns and column not in _OWN and row.get(column) is None:
            row[column] = value
        else:
            rest.setdefault(name, value)
    for name, value in outer.items():
        # What the sender chose keeps its name; the loaders too put a line before a name that is taken.
        rest.setdefault(f"_{name}" if name in rest else name, value)
    _add_given(row, rest, columns, given or {})
    return _json(row), _json(rest) if rest else None


def snake_case(name: str) -> str:
    """`userAgent` as the loaders name its column: user_agent."""
    return _SEPARATOR.sub("_", _HUMP.sub("_", name)).lower()


def _outer_fields(call: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Column name -> value of what is neither property nor trait, with the context's fields flattened."""
    for key, value in call.items():
        if key == "context" and isinstance(value, dict):
            yield from _flat("context", value)
        elif key != "type" and value is not None and not (key in ("properties", "traits") and isinstance(value, dict)):
            yield _NAMES.get(key) or snake_case(key), value


def _inner_fields(call: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Properties and traits. SDKs put an identify call's traits into its context as well, or there alone."""
    context = call.get("context")
    within = context.get("traits") if isinstance(context, dict) and call["type"] == "identify" else None
    for fields in (call.get("properties"), call.get("traits"), within):
        for name, value in fields.items() if isinstance(fields, dict) else ():
            if value is not None:
                yield name, value


def _add_given(row: dict[str, Any], rest: dict[str, Any], columns: Collection[str], given: Mapping[str, str]) -> None:
    """Adds to the declared columns and to the rest what the file's folders say and the call does not, whatever the case of the name."""
    own = {"type", *(name.lower() for name in rest)}
    for name, value in given.items():
        if name.lower() in columns:
            row[name.lower()] = value if row.get(name.lower()) is None else row[name.lower()]
        elif name.lower() not in own:
            rest[name] = value


def _flat(prefix: str, fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields of nested objects, by the names on the way to them."""
    for key, value in fields.items():
        name = f"{prefix}_{snake_case(key)}"
        if isinstance(value, dict):
            yield from _flat(name, value)
        elif value is not None:
            yield name, value


def _json(fields: Mapping[str, Any]) -> str:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def _number(text: str) -> float | str:
    """A number with a fraction; as text where no float can hold it."""
    number = float(text)
    return number if isfinite(number) else text


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")
