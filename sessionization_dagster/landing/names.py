"""Finds a raw file's table, and columns from folders, in its place and name. The same for a folder and for a bucket."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from urllib.parse import unquote

from sessionization_dagster.landing.tables import RawTable

#: File name ending -> format. The content decides; the ending helps if a file's beginning is damaged.
ENDINGS = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
}
# Endings of names that programs use for unfinished files and for old versions.
_UNFINISHED = re.compile(r".*(\.(tmp|temp|part|partial|filepart|crdownload|inprogress|swp|bak)|~)")
# Names from Spark, Hive, Hadoop's committers, Delta Lake, Hudi and notebooks, and names that people give such folders.
_WORKING_FOLDER = re.compile(
    r"[._]+(tmp|temp|temporary|staging|(hive|spark)[-_]staging.*|magic.*|delta_.*|change_data|spark_metadata"
    r"|symlink_format_manifest|hoodie.*|trash.*|snapshots?|git|ipynb_checkpoints)"
)
_OWNERS = {
    "_delta_log": "a Delta table",
    ".hoodie": "a Hudi table",
    "_hoodie": "a Hudi table",
    "_hudi": "a Hudi table",
}
_ICEBERG = "metadata/*.metadata.json"
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"

EXPECTED_LAYOUT = "<landing>/<source>/<table>/<any name>, as parquet, csv, tsv or JSON (one object per line, or an array), plain or gzipped"

# Why a file is not read.
OUTSIDE_A_TABLE = f"it lies outside a table's folder; expected {EXPECTED_LAYOUT}"
HIDDEN = "its name begins with . or _, as markers and working folders of other tools do; rename it, or move it out of the table's folder"
READ_ALREADY = "it is a link to a folder that is read already"
UNFINISHED = "its name is that of a file that is still being written, or of an old copy; rename it, or move it out of the table's folder"


def folders_of(tables: Sequence[RawTable]) -> dict[tuple[str, str], str]:
    """(source, table) -> the raw table's name. Source and table are the names of folders."""
    return {(table.source, table.table): table.name for table in tables}


def format_of(name: str) -> str | None:
    """The format of a file's name; None if the name does not show it."""
    lowered = name.lower().removesuffix(".gz")
    return next((found for ending, found in ENDINGS.items() if lowered.endswith(ending)), None)


def is_hidden(name: str) -> bool:
    """Whether it is a name of other tools' markers and working folders: `_SUCCESS`, `_temporary`, `.part.crc`. These are not read."""
    return name.startswith((".", "_"))


def is_unfinished(name: str) -> bool:
    """Whether the name is like that of an unfinished file or an old copy: `a.csv.tmp`. These are not read."""
    return _UNFINISHED.fullmatch(name.lower()) is not None


def is_working_folder(name: str) -> bool:
    """Whether it is a hidden folder of a tool that writes data, for files that are not, not yet or no longer part of the data."""
    return _WORKING_FOLDER.fullmatch(name.lower()) is not None


def owner_of(subfolders: Collection[str], metadata_files: Collection[str] = ()) -> str | None:
    """Why a folder with these subfolders (and these files in its folder metadata) cannot be read file by file; None if it can.

    The format's own lists say which of the files are live. The other files hold rows that were deleted or replaced.
    """
    found = next((name for name in sorted(subfolders) if name.lower() in _OWNERS), None)
    if found is None and not any(name.endswith(".metadata.json") for name in metadata_files):
        return None
    marker, owner = (found, _OWNERS[found.lower()]) if found else (_ICEBERG, "an Iceberg table")
    return (
        f"is {owner} (it has {marker}): not all of its files are live, so it is not read. Export its rows as plain parquet files into "
        "another folder, and move this one out of the landing folder"
    )


def folder_values(source_file: str) -> dict[str, str | None]:
    """Column -> value, from the folders `name=value` on the file's path below its table's folder."""
    values: dict[str, str | None] = {}
    for folder in source_file.split("/")[2:-1]:
        name, is_pair, value = folder.partition("=")
        if is_pair and name:
            values[unquote(name)] = None if value == _NO_VALUE else unquote(value)
    return values


def unknown_source(folder: str, sources: Sequence[str]) -> str:
    """A sentence about a folder that belongs to no source."""
    return (
        f"{folder}/: no such source; allowed are {', '.join(sources)}. "
        "Rename the folder, or add the source to SESSIONIZATION_SOURCES"
    )


def unknown_table(source: str, folder: str, tables: Sequence[str]) -> str:
    """A sentence about a source's folder that belongs to no table."""
    return (
        f"{source}/{folder}/: no such table; allowed are {', '.join(tables)}. "
        "Rename the folder, or move it out of the landing folder where its rows are no events"
    )
