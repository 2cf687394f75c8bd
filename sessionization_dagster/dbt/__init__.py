"""dbt inside Dagster: prepares the manifest, runs dbt in this process, and turns dbt nodes into assets."""
