"""The warehouse's file written anew: deleted rows stay in a DuckDB file's bytes until their blocks happen to be used again.

The new file gets all tables and views and then takes the old one's place in one step. What is to become true together with that is
written into the new file before.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable

from sessionization_dagster.errors import WarehouseError
from sessionization_dagster.warehouses.duckdb import DuckDBConnection, DuckDBWarehouse, put_in_place
from sessionization_dagster.warehouses.text import identifier, literal


def write_anew(
    warehouse: DuckDBWarehouse, finish: Callable[[DuckDBConnection], None], left_out: dict[str, str]
) -> None:
    """Replace the file by one that was written from its rows.

    Args:
        warehouse: whose file; nobody has it open.
        finish: makes further changes in the new file; after it, the new file takes the old one's place.
        left_out: schema.table -> condition on the rows that the new file does not get.

    Raises:
        WarehouseError: the new file lacks rows, or the old one is in use; the old one stays.
    """
    with warehouse.connect() as connection:
        connection.execute("checkpoint")
    folder = warehouse.path.parent / f".{warehouse.path.name}.anew"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        # Of the same file name, as views name the database after it.
        fresh = DuckDBWarehouse(folder / warehouse.path.name, memory_limit=warehouse.memory_limit)
        with fresh.connect() as connection:
            # Attached until the new file is in place: nobody can write into the old one meanwhile.
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
