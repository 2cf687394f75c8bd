"""What becomes of the results that dbt reports."""

from __future__ import annotations

import pytest
from dbt.contracts.results import TestStatus as Status

from sessionization_dagster.dbt.events import Progress
from sessionization_dagster.dbt.runner import Event
from sessionization_dagster.errors import DbtError


def result_of(name: str, status: Status, rows: int) -> Event:
    node = {"unique_id": f"test.sessionization.{name}", "node_name": name, "node_status": status.value}
    return {
        "info": {"name": "LogTestResult"},
        "data": {"node_info": node, "status": status.value, "num_failures": rows, "execution_time": 0.1},
    }


def test_rows_that_a_test_of_severity_error_found_are_an_error_and_others_are_not() -> None:
    said: list[str] = []
    progress = Progress(said.append)
    progress(result_of("unique_events", Status.Pass, 0))
    progress(result_of("shared_devices", Status.Warn, 3))
    progress.raise_failed_tests()
    assert said == ["test shared_devices: warn, 3 rows"]
    progress(result_of("not_null_events", Status.Fail, 2))
    with pytest.raises(DbtError, match=r"^1 test\(s\) found rows that must not be: not_null_events\."):
        progress.raise_failed_tests()
    assert progress.test_count == 3
    progress.report_tests()
    assert said[-1] == "3 checks in 0.3 s, 1 of them passed"
