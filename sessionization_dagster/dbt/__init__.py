"""dbt inside Dagster: preparing the manifest, running it in process, and what a dbt node becomes as an asset."""
