"""The metadata of a table in Dagster: rows, columns, failed rows."""
