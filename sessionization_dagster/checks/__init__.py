"""Checks that dbt tests cannot be: what compares the tables with a rebuild from raw rows. No Dagster here; assets/checks.py wires them."""
