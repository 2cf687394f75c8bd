"""Which days failed checks want to have rerun. Reads evaluations; runs nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import dagster as dg

from sessionization_dagster.window import RANGE_END, RANGE_START

# A check that knows which days a rerun would fix lists them in its metadata, as dates YYYY-MM-DD.
PARTITIONS_TO_RERUN = "partitions_to_rerun"


@dataclass(frozen=True)
class Mark:
    """Days that the latest evaluation of a check asks for.

    Attributes:
        check: "asset: check".
        days: in order.
    """

    check: str
    days: tuple[date, ...]


def marks(instance: dg.DagsterInstance, check_keys: Iterable[dg.AssetCheckKey]) -> list[Mark]:
    """The marks of all checks whose latest evaluation failed.

    A check may name the days itself. If it names no days and its severity is error, it marks the days of the run that evaluated it,
    because that run skipped what follows from them. A warning that names no days marks no days.
    """
    found = []
    for key in sorted(check_keys, key=lambda key: (key.asset_key.to_user_string(), key.name)):
        record = instance.get_latest_asset_check_evaluation_record(key)
        event = record.event.dagster_event if record is not None and record.event is not None else None
        evaluation = event.event_specific_data if event is not None else None
        # A check whose run died before it was evaluated has no days.
        if record is None or not isinstance(evaluation, dg.AssetCheckEvaluation) or evaluation.passed:
            continue
        days = _named_days(evaluation.metadata)
        if days is None:
            must_hold = evaluation.severity == dg.AssetCheckSeverity.ERROR
            days = _days_of_run(instance.get_run_by_id(record.run_id)) if must_hold else []
        if days:
            found.append(Mark(f"{key.asset_key.to_user_string()}: {key.name}", tuple(sorted(set(days)))))
    return found


def _named_days(metadata: Any) -> list[date] | None:
    entry = metadata.get(PARTITIONS_TO_RERUN)
    if entry is None:
        return None
    values = json.loads(entry.value) if isinstance(entry.value, str) else entry.value
    return [date.fromisoformat(value) for value in values]


def _days_of_run(run: dg.DagsterRun | None) -> list[date]:
    if run is None:
        return []
    one = run.tags.get("dagster/partition")
    first, last = run.tags.get(RANGE_START, one), run.tags.get(RANGE_END, one)
    if first is None or last is None:
        return []
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    return [start + timedelta(days=n) for n in range((end - start).days + 1)]
