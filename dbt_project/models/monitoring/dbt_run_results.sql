{{ config(materialized='view') }}

-- A view: a hook at the end of every dbt command, including failed ones, writes the rows.
select
    model_name,
    run_started_at,
    run_completed_at,
    duration_seconds,
    status,
    rows_affected,
    bytes_processed,
    partition_start,
    partition_end,
    run_id
from {{ internal_relation('run_results') }}
