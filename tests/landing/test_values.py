"""Text as timestamps, numbers, dates and booleans, on both paths."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from sessionization_dagster.landing import RawColumn, RawTable
from tests.landing.conftest import HEADER, Case, csv_row

TIMES = {
    "2024-01-31T23:59:59.123456Z": datetime(2024, 1, 31, 23, 59, 59, 123456),
    "2024-01-31 23:59:59": datetime(2024, 1, 31, 23, 59, 59),
    "2024-01-31T23:59:59.Z": datetime(2024, 1, 31, 23, 59, 59),
    "2024-01-31T23:59:59.1": datetime(2024, 1, 31, 23, 59, 59, 100000),
    "2024-01-31T23:59:59.123456999": datetime(2024, 1, 31, 23, 59, 59, 123456),
    "1969-12-31T23:59:59.999999999Z": datetime(1969, 12, 31, 23, 59, 59, 999999),
    "2024-01-31T23:59:59+02:00": datetime(2024, 1, 31, 21, 59, 59),
    "2024-01-31 23:59:59.5-0530": datetime(2024, 2, 1, 5, 29, 59, 500000),
    "2024-01-31T23:59+02": datetime(2024, 1, 31, 21, 59),
    "2024-01-31 23:59:59.5 UTC": datetime(2024, 1, 31, 23, 59, 59, 500000),
    "2024-01-31": datetime(2024, 1, 31),
    " 2024-01-31T00:00:00Z ": datetime(2024, 1, 31),
    "0001-01-01T00:00:00Z": datetime(1, 1, 1),
    "9999-12-31T23:59:59.999999Z": datetime(9999, 12, 31, 23, 59, 59, 999999),
    # As Snowflake, Athena, Go and Python write them.
    "2024-01-31 15:59:59.123 -0800": datetime(2024, 1, 31, 23, 59, 59, 123000),
    "2024-01-31 15:59:59.123 -08:00": datetime(2024, 1, 31, 23, 59, 59, 123000),
    "2024-01-31 23:59:59.123 Z": datetime(2024, 1, 31, 23, 59, 59, 123000),
    "2024-01-31 23:59:59.123+00": datetime(2024, 1, 31, 23, 59, 59, 123000),
    "2024-01-31 23:59:59.123 +0000 UTC": datetime(2024, 1, 31, 23, 59, 59, 123000),
    "": None,
    "  ": None,
}
NO_TIMES = [
    "yesterday",
    "epoch",
    "infinity",
    "-infinity",
    "now",
    "2024-02-30",
    "2024-13-01",
    "2024-01-31T25:00:00Z",
    "2024-01-31T23:59:60Z",
    "2024-01-31T23:59:59.1234567890Z",
    "2024-1-31",
    "20240131",
    "31.01.2024",
    "1706745599",
    "1706745599123",
    "1706745599123456",
    "170674559",
    "17067455991",
    "1706745599123456789",
    "-1706745599",
    "1.7e9",
    "2024-01-31 23:59:59 PST",
    "2024-01-31T23:59:59+02:75",
    "2024-01-31T23:59:59+99:00",
    "2024-01-31T23:59:59-16",
    "2024-01-31 23:59:59 CET",
    "2024-01-31 23:59:59 Europe/Berlin",
    "0000-12-31",
    "10000-01-01",
    "0001-01-01T00:00:00+01:00",
    "9999-12-31T23:59:59-01:00",
    "0044-03-15 (BC)",
    "2024-01-31T23:59:59Zjunk",
    "NULL",
]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_timestamps(case: Case, zone: str) -> None:
    # As on a machine in that zone: DuckDB takes it over for the whole instance.
    case.connection.execute(f"set global TimeZone = '{zone}'")
    case.write("a.csv", HEADER + "".join(csv_row("x", timestamp=text) for text in TIMES))
    case.write("b.jsonl", "".join(f'{{"timestamp": "{text}"}}\n' for text in TIMES))
    assert case.land().problems == []
    assert case.rows("timestamp") == list(TIMES.values()) * 2


def test_what_is_no_timestamp(case: Case) -> None:
    case.write("a.csv", HEADER + "".join(csv_row("x", timestamp=text) for text in NO_TIMES))
    case.write("b.jsonl", "".join(f'{{"timestamp": "{text}"}}\n' for text in NO_TIMES) + '{"timestamp": 170674559}\n')
    case.land()
    assert case.rows() == []
    assert case.rejects("source_line") == [*range(2, len(NO_TIMES) + 2), *range(1, len(NO_TIMES) + 2)]


def test_numbers_dates_and_booleans(case: Case) -> None:
    columns = [RawColumn(name, name) for name in ("BIGINT", "INTEGER", "DOUBLE", "BOOLEAN", "DATE", "JSON")]
    case.tables = [RawTable("shop", "tracks", (RawColumn("id", "VARCHAR"), *columns))]
    sound: dict[str, dict[str, Any]] = {
        "BIGINT": {"9223372036854775807": 2**63 - 1, "-5": -5, "+7.0": 7, " 8 ": 8, "": None, "007": 7},
        "INTEGER": {"2147483647": 2**31 - 1},
        "DOUBLE": {"1e3": 1000.0, "-.5": -0.5, "5.": 5.0, "nan": None, "NaN": None, "None": None},
        "BOOLEAN": {"true": True, "FALSE": False, "t": True, "0": False},
        "DATE": {"2024-02-29": date(2024, 2, 29)},
        "JSON": {"[1]": "[1]", '"x"': '"x"', "1": "1"},
    }
    broken = {
        "BIGINT": ["9223372036854775808", "1.5", "1e3", "0x1f", "1_000", "x", "true"],
        "INTEGER": ["2147483648"],
        "DOUBLE": ["nano", "inf", "1e999", "1,5", "1_0"],
        "BOOLEAN": ["2", "yes", "on"],
        "DATE": ["2023-02-29", "0000-01-01", "today", "2024-01-01T00:00:00"],
        "JSON": ["{", "x"],
    }
    quote = '"{}"'.format
    for name, values in sound.items():
        lines = "".join(f"{name},{quote(text.replace(chr(34), chr(34) * 2))}\n" for text in values)
        case.write(f"{name}.csv", f"id,{name}\n{lines}")
    for name, texts in broken.items():
        case.write(f"{name}-broken.csv", f"id,{name}\n" + "".join(f"{name},{quote(text)}\n" for text in texts))
    case.land()
    for name, values in sound.items():
        assert case.query(f"select \"{name}\" from raw.shop_tracks where id = '{name}' order by source_row") == [
            (value,) for value in values.values()
        ]
    assert len(case.rejects()) == sum(map(len, broken.values()))
    assert len(case.rows()) == sum(map(len, sound.values()))
