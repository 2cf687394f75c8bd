"""Exactly incremental sessions and identities from raw event data, as Dagster assets on DuckDB or BigQuery."""
