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
    "aliases": {name: name for name in ("id", "previous_id", "user_id", "anonymous_id", "timestamp", "received_at")},
    "mixpanel": {
        "insert_id": "id",
        "distinct_id": "anonymous_id",
        "time": "timestamp",
        "mp_processing_time_ms": "sequence",
        **{name: name for name in ("user_id", "device_id", "event", "country", "device", "os")},
    },
    "measure_js": {
        "event_id": "id",
        "client_id": "anonymous_id",
        "event_name": "event",
        **{name: name for name in ("user_id", "timestamp", "url", "referrer")},
    },
}
CAMPAIGN = {
    "context_campaign_source": "utm_source",
    "context_campaign_medium": "utm_medium",
    "context_campaign_name": "utm_campaign",
    "context_campaign_content": "utm_content",
    "context_campaign_term": "utm_term",
    "context_user_agent": "user_agent",
}
# Columns that a loader makes when a row first has a value.
MADE_WHEN_NEEDED = {
    "tracks": {**CAMPAIGN, "context_page_search": "search"},
    "pages": CAMPAIGN,
    "screens": CAMPAIGN,
    "identifies": CAMPAIGN,
    "aliases": {},
    "mixpanel": {
        "current_url": "url",
        "referrer": "referrer",
        **{name: name for name in CAMPAIGN.values() if name.startswith("utm_")},
    },
    "measure_js": {"user_agent": "user_agent"},
}


def columns_of(source: str, table: str) -> dict[str, str]:
    """Raw column -> the oracle's field."""
    return FIELDS.get(source) or FIELDS[table]


def columns_for(rows: list[RawRow], source: str, table: str) -> dict[str, str]:
    """The same with the columns that only these rows make necessary."""
    more = MADE_WHEN_NEEDED.get(source) or MADE_WHEN_NEEDED[table]
    needed = {column: name for column, name in more.items() if any(getattr(row, name) is not None for row in rows)}
    return {**columns_of(source, table), **needed}


def raw_record(row: RawRow) -> dict[str, Any]:
    """One row as the vendor's JSON has it, columns that the contract does not name included."""
    record = {column: getattr(row, name) for column, name in columns_for([row], row.source, row.table).items()}
    if row.source == "measure_js":
        record["device"] = {"type": row.device, "os": row.os}
        record["location"] = {"country": row.country}
    return {**record, **dict(row.traits)}


def raw_fields(rows: list[RawRow], table: RawTable) -> dict[str, list[Any]]:
    """Raw column -> values of the rows, all of one table; nested ones as JSON text."""
    records = [raw_record(row) for row in rows]
    nested = ["device", "location"] if table.source == "measure_js" else []
    fields = {name: [record.get(name) for record in records] for name in columns_for(rows, table.source, table.table)}
    return {**fields, **{name: [json.dumps(record[name]) for record in records] for name in nested}}
