"""Writes the warehouse's file anew, because deleted rows stay in the bytes of a DuckDB file until their blocks are reused.

The new file gets all tables and views, and then replaces the old one in one step. Changes that must take effect at the same moment are
written into the new file before.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable

from sessionization_dagster.errors import WarehouseError
from sessionization_dagster.warehouses.duckdb import DuckDBConnection, DuckDBWarehouse, put_in_place
from sessionization_dagster.warehouses.quoting import identifier, literal


def write_anew(
    warehouse: DuckDBWarehouse, finish: Callable[[DuckDBConnection], None], left_out: dict[str, str]
) -> None:
    """Replace the file by a new one that is written from its rows.

    Args:
        warehouse: the warehouse of the file. Nobody may have the file open.
        finish: makes further changes in the new file. After it, the new file replaces the old one.
        left_out: schema.table -> condition on the rows that are not copied.

    Raises:
        WarehouseError: the new file lacks rows, or the old file is in use. The old file stays.
    """
    with warehouse.connect() as connection:
        connection.execute("checkpoint")
    folder = warehouse.path.parent / f".{warehouse.path.name}.anew"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        # With the same file name, because views contain the database's name, which is that of the file.
        fresh = DuckDBWarehouse(folder / warehouse.path.name, memory_limit=warehouse.memory_limit)
        with fresh.connect() as connection:
            # The old file stays attached until the new one is in place, so that nobody can write into it meanwhile.
            connection.execute(f"attach {literal(str(warehouse.path))} as old (read_only)")
            _copy(connection, left_out)
            finish(connection)
            connection.execute("checkpoint")
            put_in_place(fresh.path, warehouse.path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy(connection: DuckDBConnection, left_out: dict[str, str]) -> None:
    native = connection.native
    (name,) = native.execute("select current_database()").fetchall()[0]
    native.execute(f"copy from database old to {identifier(name)} (schema)")
    found = native.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = 'old' and not internal order by all"
    ).fetchall()
    for schema, table in found:
        relation = f"{identifier(schema)}.{identifier(table)}"
        wanted = f"from old.{relation} where not ({left_out.get(f'{schema}.{table}', 'false')})"
        (written,) = native.execute(f"insert into {relation} select * {wanted}").fetchall()[0]
        (expected,) = native.execute(f"select count(*) {wanted}").fetchall()[0]
        if written != expected:
            raise WarehouseError(
                f"{schema}.{table} has {expected} rows and its copy {written}: the warehouse's file was not replaced."
            )
