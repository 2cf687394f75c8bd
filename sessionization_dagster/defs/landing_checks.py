"""A landing's report as asset checks: unreadable files and rows, files outside all table folders, and removed files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from sessionization_dagster.landing import LandingReport, RawTable
from sessionization_dagster.metadata.markdown import markdown_table
from sessionization_dagster.warehouses.base import Connection

FILES_READABLE = "files_readable"
FILES_STILL_THERE = "files_still_there"
FILES_IN_TABLE_FOLDERS = "files_in_table_folders"
REJECTS = dg.AssetKey(["raw", "landing_rejects"])
SHOWN = 10


def file_check_specs(tables: Mapping[dg.AssetKey, RawTable], folder: str) -> list[dg.AssetCheckSpec]:
    """The checks of files: two for each raw table, and one for all. folder is the name of the place of the files in descriptions."""
    of_tables = {
        FILES_READABLE: f"Every file and row below the table's {folder} could be read.",
        FILES_STILL_THERE: f"No landed file was removed from the table's {folder} since the last landing. "
        "SESSIONIZATION_REMOVED_FILES says whether the rows of removed files are kept.",
    }
    return [
        *(dg.AssetCheckSpec(name, asset=key, description=text) for name, text in of_tables.items() for key in tables),
        dg.AssetCheckSpec(
            FILES_IN_TABLE_FOLDERS,
            asset=REJECTS,
            description=f"Every file of the {folder} lies in the folder of a table.",
        ),
    ]


def file_check_results(
    selected: Sequence[dg.AssetCheckKey],
    tables: Mapping[dg.AssetKey, RawTable],
    report: LandingReport,
    held: Mapping[str, Sequence[Mapping[str, Any]]],
) -> Iterator[dg.AssetCheckResult]:
    """The results of the selected checks that are about files. held is the result of `unreadable`."""
    for check in selected:
        if check.name == FILES_IN_TABLE_FOLDERS:
            yield _files_in_table_folders(check.asset_key, report.misplaced())
        elif check.name == FILES_READABLE:
            name = tables[check.asset_key].name
            yield _files_readable(
                check.asset_key, held.get(name, []), report.unread(name), report.tables[name].near_misses
            )
        elif check.name == FILES_STILL_THERE:
            table = report.tables[tables[check.asset_key].name]
            yield _files_still_there(check.asset_key, table.removed_now, table.removed_before)


def unreadable(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """Raw table -> its current rejects: those of this run, and earlier ones that no file has fixed since."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in connection.query("""
        select source || '_' || table_name as name, source_file, source_line, error
        from raw.landing_rejects order by source_file, source_line""").to_pylist():
        found.setdefault(row["name"], []).append(row)
    return found


def _files_readable(
    asset_key: dg.AssetKey,
    rejects: Sequence[Mapping[str, Any]],
    not_read: Sequence[tuple[str, str]],
    near_misses: Sequence[tuple[str, str]],
) -> dg.AssetCheckResult:
    """A warning that counts unread files, unread rows and column names that nearly match, and shows the first of each."""
    rows = [(path, "not read", reason) for path, reason in not_read]
    rows += [(path, "column", text) for path, text in near_misses]
    rows += [(row["source_file"], row["source_line"] or "whole file", row["error"]) for row in rejects]
    return _warning(
        asset_key,
        FILES_READABLE,
        passed=not rows,
        numbers={"unreadable": len(rejects), "not_read": len(not_read), "near_misses": len(near_misses)},
        table=markdown_table(["file", "line", "error"], rows[:SHOWN], longest=None),
    )


def _files_in_table_folders(asset_key: dg.AssetKey, misplaced: Sequence[str]) -> dg.AssetCheckResult:
    """A warning that names folders and files that belong to no table, because a name is misspelt or a source is not in use."""
    return _warning(
        asset_key,
        FILES_IN_TABLE_FOLDERS,
        passed=not misplaced,
        numbers={"passed_over": len(misplaced)},
        table=markdown_table(["folder or file"], [(text,) for text in misplaced[:SHOWN]], longest=None),
        description="None of their rows is in any table: rename or move them, or take them out of the folder.",
    )


def _files_still_there(
    asset_key: dg.AssetKey, removed_now: Sequence[str], removed_before: Sequence[str]
) -> dg.AssetCheckResult:
    """A warning in the first run that misses a file. Later runs name the file too but pass, because people archive files on purpose."""
    rows = [(path, "now") for path in removed_now] + [(path, "before") for path in removed_before]
    return _warning(
        asset_key,
        FILES_STILL_THERE,
        passed=not removed_now,
        numbers={"removed_now": len(removed_now), "removed_before": len(removed_before)},
        table=markdown_table(["file", "missed"], rows[:SHOWN], longest=None) if rows else None,
        description="SESSIONIZATION_REMOVED_FILES says what became of their rows: keep (the default) or remove.",
    )


def _warning(
    asset_key: dg.AssetKey,
    name: str,
    passed: bool,
    numbers: Mapping[str, int],
    table: str | None,
    description: str = "",
) -> dg.AssetCheckResult:
    """A check's result. The table is shown only if one of the numbers is above zero."""
    shown = table is not None and any(numbers.values())
    return dg.AssetCheckResult(
        asset_key=asset_key,
        check_name=name,
        passed=passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=None if passed else description or None,
        metadata={**numbers, **({"first": dg.MetadataValue.md(str(table))} if shown else {})},
    )
