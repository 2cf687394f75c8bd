"""dbt's structured log events: shown as progress while a command runs, and turned into Dagster events afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from sessionization_dagster.dbt.manifest import Manifest
from sessionization_dagster.dbt.runner import SAID, Event
from sessionization_dagster.errors import DbtError

AssetEvent = (
    dg.Output[Any] | dg.AssetMaterialization | dg.AssetObservation | dg.AssetCheckResult | dg.AssetCheckEvaluation
)


@dataclass
class Progress:
    """Collects the results of nodes. Reports each table, each test that did not pass, and each message of a macro in a line.

    The runner of a dbt command calls it with each event.
    """

    report: Callable[[str], object]
    results: list[Event] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        """Collect a result event and report it, or report a macro's message."""
        data = event["data"]
        if event["info"]["name"] == SAID:
            self.report(str(data["msg"]))
            return
        self.results.append(event)
        seconds = float(data.get("execution_time", 0))
        if event["info"]["name"] != "LogTestResult":
            self.report(f"{_relation(event)}: {data.get('status')} in {seconds:.2f} s")
        elif _node(event).get("node_status") != "pass":
            self.report(f"test {_name(event)}: {data.get('status')}, {data.get('num_failures', 0)} rows")

    @property
    def built_nodes(self) -> dict[str, Event]:
        """Unique id -> result event, for the models and seeds that were built."""
        return {
            _node(event)["unique_id"]: event
            for event in self.results
            if event["info"]["name"] != "LogTestResult" and _node(event).get("node_status") == "success"
        }

    @property
    def test_count(self) -> int:
        """How many tests have run."""
        return len(self._tests)

    def report_tests(self) -> None:
        """Report how many tests ran, if any, and how long they took: a test that passed has no line of its own."""
        if not self.test_count:
            return
        seconds = sum(float(event["data"].get("execution_time", 0)) for event in self._tests)
        passed = sum(_node(event).get("node_status") == "pass" for event in self._tests)
        self.report(f"{self.test_count} checks in {seconds:.1f} s, {passed} of them passed")

    @property
    def _tests(self) -> list[Event]:
        return [event for event in self.results if event["info"]["name"] == "LogTestResult"]

    def raise_failed_tests(self) -> None:
        """Raise DbtError if a test of severity error found rows. dbt then skipped what follows from its model."""
        failed = [_name(event) for event in self.results if _node(event).get("node_status") == "fail"]
        if failed:
            raise DbtError(
                f"{len(failed)} test(s) found rows that must not be: {', '.join(failed)}. "
                "The asset checks show how many; whatever depends on the tested tables was skipped."
            )


def as_asset_events(
    results: list[Event],
    check_metadata: Mapping[str, Mapping[str, Any]],
    context: dg.AssetExecutionContext,
    manifest: Manifest,
    translator: DagsterDbtTranslator,
) -> Iterator[AssetEvent]:
    """Turn result events into outputs and asset check results. The check results get further metadata (unique id -> entries)."""
    for event in results:
        message = DbtCoreCliEventMessage(raw_event=event, event_history_metadata={})
        for asset_event in message.to_default_asset_events(manifest.json, translator, context):
            if isinstance(asset_event, dg.AssetCheckResult):
                extra = check_metadata.get(_node(event)["unique_id"], {})
                asset_event = asset_event._replace(metadata={**asset_event.metadata, **extra})
            yield asset_event


def _node(event: Event) -> dict[str, Any]:
    node: dict[str, Any] = event["data"]["node_info"]
    return node


def _relation(event: Event) -> str:
    relation = _node(event).get("node_relation", {})
    return f"{relation.get('schema')}.{relation.get('alias')}"


def _name(event: Event) -> str:
    return str(_node(event).get("node_name"))
