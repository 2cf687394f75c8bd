"""Which days each table has, and which checks did not pass when they last ran, read from the Dagster instance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import dagster as dg

from sessionization_dagster.cli.dagster_home import prepare_instance_home
from sessionization_dagster.cli.failed_checks import shown
from sessionization_dagster.definitions import build_definitions
from sessionization_dagster.defs.partitions import daily_partitions
from sessionization_dagster.settings.environment import Environment

SHOWN_DAYS = 3
# Dagster's word for a check that ran and did not pass.
FAILED = "FAILED"


def show(environment: Environment) -> int:
    """Print the status and return the exit code: 1 if a table lacks a day or a check did not pass.

    Raises:
        SettingsError: a setting cannot be used.
    """
    prepare_instance_home()
    graph = build_definitions(environment).resolve_asset_graph()
    days = daily_partitions(environment).get_partition_keys()
    with dg.DagsterInstance.get() as instance:
        lacking: dict[tuple[str, ...], list[str]] = defaultdict(list)
        keys = sorted(key for key in graph.materializable_asset_keys if graph.get(key).partitions_def is not None)
        for key in keys:
            had = instance.get_materialized_partitions(key)
            lacking[tuple(day for day in days if day not in had)].append(key.to_user_string())
        checks = instance.event_log_storage.get_latest_asset_check_execution_by_key(sorted(graph.asset_check_keys))
        # A record has no event while its check is planned or runs.
        evaluations = [
            record.event.get_dagster_event().asset_check_evaluation_data
            for record in checks.values()
            if record is not None and record.event and record.status.value == FAILED
        ]
    print(f"Days     {_days(days)}")
    for missing, tables in sorted(lacking.items()):
        said = f"without {_days(missing)}" if missing else "with all days"
        print(
            f"Tables   {len(tables)} {said}" + (f": {', '.join(tables)}" if missing and len(tables) < len(keys) else "")
        )
    print(f"Checks   {len(evaluations)} of {len(checks)} that ran did not pass")
    print(shown(sorted(evaluations, key=lambda check: check.asset_check_key), graph), end="")
    return 1 if evaluations or any(lacking) else 0


def _days(days: Iterable[str]) -> str:
    """The days by name if they are few, otherwise their number with the first and the last day."""
    named = list(days)
    if not named:
        return "no day"
    if len(named) <= SHOWN_DAYS:
        return ", ".join(named)
    return f"{len(named)} days, {named[0]} to {named[-1]}"
