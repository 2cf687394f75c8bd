"""The first rows that a failed dbt test found, for people. They are read with the test's compiled SQL, because dbt only counts them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import dagster as dg

from sessionization_dagster.dbt.project import DbtProject
from sessionization_dagster.dbt.runner import Event
from sessionization_dagster.metadata.markdown import markdown_table
from sessionization_dagster.warehouses.base import Warehouse

SHOWN_ROWS = 10
# A file's path is not cut: it says what to take out.
LONGEST_VALUE = 300
# Tests that could not run have no rows.
FOUND_ROWS = ("fail", "warn")


def failed_rows(warehouse: Warehouse, project: DbtProject, results: Iterable[Event]) -> dict[str, dict[str, Any]]:
    """Return unique id -> metadata entries, for the tests that found rows: how many rows, and the first of them.

    Opens the warehouse only if there are such tests. Call it after dbt has closed the warehouse.
    """
    found = {
        event["data"]["node_info"]["unique_id"]: event["data"]
        for event in results
        if event["info"]["name"] == "LogTestResult" and event["data"]["node_info"]["node_status"] in FOUND_ROWS
    }
    if not found:
        return {}
    with warehouse.connect() as connection:
        metadata = {}
        for unique_id, data in found.items():
            compiled = project.runner.compiled_sql(unique_id)
            rows = connection.query_as_written(f"select * from (\n{compiled}\n) as failed_rows limit {SHOWN_ROWS}")
            table = markdown_table(rows.column_names, [row.values() for row in rows.to_pylist()], LONGEST_VALUE)
            metadata[unique_id] = {"rows": int(data["num_failures"]), "first_rows": dg.MetadataValue.md(table)}
    return metadata
