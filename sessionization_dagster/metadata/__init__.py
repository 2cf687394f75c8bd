"""What people see of a table in Dagster: rows, columns, failed rows."""
