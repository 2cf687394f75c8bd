"""What the place and the name of a raw file say of it: its table and its format. The same in a folder and in a bucket."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sessionization_dagster.landing.tables import RawTable

#: File name ending -> (format, gzipped).
ENDINGS = {
    ".parquet": ("parquet", False),
    ".csv": ("csv", False),
    ".csv.gz": ("csv", True),
    ".jsonl": ("jsonl", False),
    ".jsonl.gz": ("jsonl", True),
    ".ndjson": ("jsonl", False),
    ".ndjson.gz": ("jsonl", True),
    ".json": ("jsonl", False),
    ".json.gz": ("jsonl", True),
}
# Of Spark, Hive, Hadoop's committers, Delta Lake, Hudi, notebooks, and what people call such folders.
_WORKING_FOLDER = re.compile(
    r"[._]+(tmp|temp|temporary|staging|(hive|spark)[-_]staging.*|magic.*|delta_.*|change_data|spark_metadata"
    r"|symlink_format_manifest|hoodie.*|trash.*|snapshots?|git|ipynb_checkpoints)"
)
EXPECTED_LAYOUT = f"<landing>/<source>/<table>/<any name>, ending in {', '.join(ENDINGS)}"

# Why a file is not looked at.
OUTSIDE_A_TABLE = f"it lies outside a table's folder; expected {EXPECTED_LAYOUT}"
HIDDEN = "its name begins with . or _, as markers and working folders of other tools do; rename it, or move it out of the table's folder"
READ_ALREADY = "it is a link to a folder that is read already"
UNKNOWN_ENDING = f"its name does not end in {', '.join(ENDINGS)}"


def folders_of(tables: Sequence[RawTable]) -> dict[tuple[str, str], str]:
    """(source, table), which are the names of folders -> the raw table's name."""
    return {(table.source, table.table): table.name for table in tables}


def format_of(name: str) -> tuple[str, bool] | None:
    """A file's format and whether it is gzipped, as its name says; None where it says neither."""
    lowered = name.lower()
    # Longest ending first: an ending may end in another one.
    ending = next((ending for ending in sorted(ENDINGS, key=len, reverse=True) if lowered.endswith(ending)), None)
    return None if ending is None else ENDINGS[ending]


def is_hidden(name: str) -> bool:
    """A name as markers and working folders of other tools have: `_SUCCESS`, `_temporary`, `.part.crc`. Such are not read."""
    return name.startswith((".", "_"))


def is_working_folder(name: str) -> bool:
    """A hidden folder in which a tool that writes data keeps what is not, or not yet, or no longer part of it."""
    return _WORKING_FOLDER.fullmatch(name.lower()) is not None


def unknown_source(folder: str, sources: Sequence[str]) -> str:
    """A sentence about a folder that belongs to no source."""
    return (
        f"{folder}/: no such source; allowed are {', '.join(sources)}. "
        "Rename the folder, or add the source to SESSIONIZATION_SOURCES"
    )


def unknown_table(source: str, folder: str, tables: Sequence[str]) -> str:
    """A sentence about a source's folder that belongs to no table."""
    return f"{source}/{folder}/: no such table; allowed are {', '.join(tables)}. Rename the folder"
