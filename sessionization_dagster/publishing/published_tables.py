"""Tables as Parquet files by date, for notebooks and BI tools. While a run works, no other process can open the DuckDB file.

`<folder>/<schema>/<table>` has a file per date, `2024-01-04.<digest>.<number>.parquet`. A table without dates has a file called `all`.
The digest is computed from the date's rows: a run writes only the files of dates whose rows have changed. To find these dates, it reads
each table once.

The table's name is a link to the folder of a version. A new version is completed first, with the unchanged files of the previous version
linked into it. Then the link is replaced in one step, so a reader sees one version or the other. The previous version stays until the
next one is written, for those who are still reading it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import duckdb

from sessionization_dagster.dbt.manifest import Manifest, Table
from sessionization_dagster.errors import WarehouseError
from sessionization_dagster.warehouses.duckdb import DuckDBConnection, DuckDBWarehouse
from sessionization_dagster.warehouses.quoting import identifier, literal

VERSIONS = ".versions"
#: Schemas whose tables are not made from events, or show only the current state.
NOT_PUBLISHED = ("raw", "staging", "monitoring")
#: Rows without a date, and all rows of a table without dates.
NO_DATE, ALL = "no-date", "all"
#: A digest also depends on this.
FORMAT = f"1 duckdb {duckdb.__version__}"


@dataclass(frozen=True)
class Published:
    """The numbers of files that were written and removed for a table."""

    written: int
    kept: int
    removed: int


def tables_to_publish(manifest: Manifest) -> list[Table]:
    """The tables of the manifest that are made from events."""
    found = [table for table in [*manifest.models, *manifest.sources] if table.relation[0] not in NOT_PUBLISHED]
    return sorted(found, key=lambda table: table.relation)


def _date(table: Table) -> str | None:
    """SQL over the table's columns that gives a row's date; None: the table has one file."""
    stored_by = table.stored_by
    return table.date or (f"cast({stored_by} as date)" if stored_by and stored_by != "entity" else None)


def publish_all(warehouse: DuckDBWarehouse, tables: Iterable[Table], folder: Path) -> dict[str, Published]:
    """Update the files of tables; returns `<schema>.<table>` -> the numbers of files. A missing table has no entry.

    Raises:
        WarehouseError: the folder cannot be written, or something else has a table's name in it.
    """
    with warehouse.connect() as connection:
        present = {
            (row["table_schema"], row["table_name"])
            for row in connection.query("select table_schema, table_name from information_schema.tables").to_pylist()
        }
        return {table.full_name: publish(connection, table, folder) for table in tables if table.relation in present}


def publish(connection: DuckDBConnection, table: Table, folder: Path) -> Published:
    """Update the table's files.

    Raises:
        WarehouseError: the folder cannot be written, or something else has the table's name in it.
    """
    place = folder.joinpath(*table.relation)
    try:
        before = _files(place)
        now = _digests(connection, table)
        names = {f"{part}.{digest}" for part, digest in now.items()}
        kept = {name: paths for name, paths in before.items() if name in names}
        changed = [part for part, digest in now.items() if f"{part}.{digest}" not in kept]
        gone = len(before) - len(kept)
        if not changed and not gone and before:
            return Published(0, len(kept), 0)
        version = folder / VERSIONS / table.full_name / uuid4().hex
        version.mkdir(parents=True)
        for paths in kept.values():
            for path in paths:
                _link(path, version / path.name)
        _write(connection, table, changed, now, version)
        _take_name(place, version)
    except OSError as error:
        raise WarehouseError(
            f"SESSIONIZATION_PUBLISH: {place} cannot be written: {error.strerror or error}. Name a folder that only the project uses."
        ) from error
    return Published(len(changed), len(kept), gone)


def remove_earlier_versions(folder: Path) -> int:
    """Remove the versions that no table's name links to; returns how many were removed."""
    removed = 0
    for versions in sorted((folder / VERSIONS).glob("*")):
        schema, name = versions.name.split(".", 1)
        current = (folder / schema / name).resolve()
        removed += _remove(version for version in versions.iterdir() if version.resolve() != current)
    return removed


def _files(place: Path) -> dict[str, list[Path]]:
    """`<date>.<digest>` -> its files."""
    if place.exists() and not place.is_symlink():
        raise OSError(f"{place} is no link of this project")
    found: dict[str, list[Path]] = {}
    for path in sorted(place.glob("*.parquet")) if place.exists() else []:
        found.setdefault(".".join(path.name.split(".")[:2]), []).append(path.resolve())
    return found


def _part(table: Table) -> str:
    date = _date(table)
    return f"coalesce(cast({date} as varchar), '{NO_DATE}')" if date else f"'{ALL}'"


def _quoted(table: Table) -> str:
    return ".".join(map(identifier, table.relation))


def _digests(connection: DuckDBConnection, table: Table) -> dict[str, str]:
    """Date -> digest of its rows, which does not depend on their order. A table without rows has one digest, of no rows."""
    rows = connection.query(f"""
        select {_part(table)} as part, md5(concat_ws(' ', {literal(FORMAT)}, count(*), bit_xor(hash(t)), sum(hash(t)::hugeint))) as digest
        from {_quoted(table)} as t
        group by 1 order by 1""").to_pylist()
    columns = connection.query(f"describe {_quoted(table)}").to_pylist()
    names = str([(row["column_name"], row["column_type"]) for row in columns])
    shape = hashlib.md5(names.encode(), usedforsecurity=False).hexdigest()[:8]
    digests = {row["part"]: row["digest"][:16] + shape for row in rows}
    # A table without rows gets a file too, so that a reader finds its columns.
    return digests or {ALL: "0" * 16 + shape}


def _write(
    connection: DuckDBConnection, table: Table, parts: Iterable[str], digests: Mapping[str, str], version: Path
) -> None:
    """Write the rows of some dates into the version, with one statement for all dates."""
    parts = list(parts)
    if not parts:
        return
    scratch = version / ".scratch"
    relation = _quoted(table)
    wanted = ", ".join(literal(part) for part in parts)
    connection.execute(f"""
        copy (select *, {_part(table)} as "published part" from {relation} where {_part(table)} in ({wanted}))
        to {literal(str(scratch))} (format parquet, compression zstd, partition_by ("published part"), write_partition_columns false)""")
    for part in parts:
        files = sorted((scratch / f"published%20part={part}").glob("*.parquet"))
        if not files:
            path = version / f"{part}.{digests[part]}.0.parquet"
            connection.execute(f"copy (from {relation} limit 0) to {literal(str(path))} (format parquet)")
        for number, path in enumerate(files):
            path.rename(version / f"{part}.{digests[part]}.{number}.parquet")
    shutil.rmtree(scratch, ignore_errors=True)


def _take_name(place: Path, version: Path) -> None:
    """Link the table's name to the version, in one step, and remove all versions except this one and the previous one."""
    previous = place.resolve() if place.is_symlink() else None
    place.parent.mkdir(parents=True, exist_ok=True)
    link = place.with_name(f".{place.name}.{version.name}")
    link.symlink_to(os.path.relpath(version, place.parent), target_is_directory=True)
    os.replace(link, place)
    _remove(other for other in version.parent.iterdir() if other.resolve() not in (version.resolve(), previous))


def _remove(versions: Iterable[Path]) -> int:
    removed = 0
    for version in list(versions):
        shutil.rmtree(version, ignore_errors=True)
        removed += 1
    return removed


def _link(source: Path, target: Path) -> None:
    """Link the file under another name; copy it if the file system has no hard links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
