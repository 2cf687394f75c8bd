"""Objects that are gone from the bucket: which statements say so. The loads are pretended; the statements run in tests/bigquery."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from sessionization_dagster.landing import LandingError, RawColumn, RawTable, RemovedFiles, TableReport
from sessionization_dagster.landing.gcs.load_bucket import _Loader
from sessionization_dagster.landing.gcs.objects import Bucket, RawFile, StoredObject
from sessionization_dagster.landing.gcs.statements import Statements, declared_columns
from sessionization_dagster.warehouses.dialect import Places

TABLE = RawTable("shop", "tracks", (RawColumn("id", "VARCHAR", True),))
LEDGER = {"here": "loaded", "gone": "loaded", "gone before": "removed", "broken": "unreadable", "back": "removed"}


class PretendedLoads:
    """A ledger as above, and the statements that were sent besides."""

    forgets_json = False

    def __init__(self, columns: dict[str, str]) -> None:
        """Columns are those of the raw table."""
        self._columns = columns
        self.sent: list[str] = []

    def rows(self, sql: str) -> list[dict[str, Any]]:
        if "row_count from" in sql:
            return [
                {"source_file": name, "generation": 1, "status": status, "row_count": 10}
                for name, status in LEDGER.items()
            ]
        if "count(*)" in sql:
            return [{"found": 0}]
        if not sql.startswith("select"):
            self.sent.append(sql)
        return []

    def columns(self, name: str) -> dict[str, str]:
        return self._columns


def loader(removed: RemovedFiles, columns: dict[str, str] | None = None) -> tuple[_Loader, PretendedLoads, TableReport]:
    loads = PretendedLoads(columns or declared_columns(TABLE))
    report = TableReport("shop", "tracks")
    statements = Statements(Places("p", "d", {}), TABLE, datetime(2024, 1, 1))
    pretended: Any = loads
    nothing: Any = None
    return (
        _Loader(pretended, nothing, Bucket("b", ""), TABLE, statements, lambda text: None, report, removed),
        loads,
        report,
    )


FILES = [RawFile(StoredObject(name, 1, 5), name) for name in ("here", "back")]


def test_rows_are_kept_unless_the_setting_says_otherwise() -> None:
    landing, loads, report = loader(RemovedFiles.KEEP)
    landing.land(FILES)
    removal, gone, back = loads.sent
    assert "delete from" in removal
    assert "('broken')" in removal.replace('"', "'")
    assert "set status = 'removed'" in gone.replace('"', "'")
    assert "('gone')" in gone.replace('"', "'")
    assert "set status = 'loaded'" in back.replace('"', "'")
    assert (report.removed_now, report.removed_before) == (["broken", "gone"], ["gone before"])
    assert (report.files_unchanged, report.files_removed) == (2, 1)


def test_with_remove_they_go() -> None:
    landing, loads, report = loader(RemovedFiles.REMOVE)
    landing.land(FILES)
    assert "'broken', 'gone', 'gone before'" in loads.sent[0].replace('"', "'")
    assert report.files_removed == 3


def test_a_table_is_not_made_anew_where_that_would_lose_what_is_kept() -> None:
    landing, loads, _ = loader(RemovedFiles.KEEP, {"id": "INT64", "properties": "JSON", "source_file": "STRING"})
    with pytest.raises(LandingError, match=r"2 of its files are gone \(gone, gone before\).*put them back"):
        landing.land(FILES)
    assert loads.sent == []
