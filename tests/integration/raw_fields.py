"""The oracle's raw rows under the column names of each source's tables."""

from __future__ import annotations

import json
from typing import Any

from sessionization_dagster.landing import RawTable
from tests.oracle.model import RawRow

CONTEXT = {
    "context_page_url": "url",
    "context_page_path": "path",
    "context_page_title": "title",
    "context_page_referrer": "referrer",
    "context_location_country": "country",
    "context_device_type": "device",
    "context_os_name": "os",
}
COMMON = {name: name for name in ("id", "anonymous_id", "user_id", "timestamp", "received_at")}
PAGE = {name: name for name in ("url", "path", "title", "referrer", "search")}
ATTRIBUTES = {name: CONTEXT[name] for name in CONTEXT if "_page_" not in name}
FIELDS = {
    "tracks": {**COMMON, **CONTEXT, "event": "event"},
    "pages": {**COMMON, **PAGE, **ATTRIBUTES, "name": "event"},
    "screens": {**COMMON, **PAGE, **ATTRIBUTES, "name": "event"},
    "identifies": {**COMMON, **CONTEXT},
    "aliases": {name: name for name in ("id", "previous_id", "user_id", "timestamp", "received_at")},
    "mixpanel": {
        "insert_id": "id",
        "distinct_id": "anonymous_id",
        "time": "timestamp",
        **{name: name for name in ("user_id", "event", "country", "device", "os")},
    },
    "measure_js": {
        "event_id": "id",
        "client_id": "anonymous_id",
        "event_name": "event",
        **{name: name for name in ("user_id", "timestamp", "url", "referrer")},
    },
}


def raw_fields(rows: list[RawRow], table: RawTable) -> dict[str, list[Any]]:
    """Raw column -> values of the rows, all of one table."""
    names = FIELDS.get(table.source) or FIELDS[table.table]
    fields = {column: [getattr(row, name) for row in rows] for column, name in names.items()}
    if table.source == "measure_js":
        fields["device"] = [json.dumps({"type": row.device, "os": row.os}) for row in rows]
        fields["location"] = [json.dumps({"country": row.country}) for row in rows]
    return fields
