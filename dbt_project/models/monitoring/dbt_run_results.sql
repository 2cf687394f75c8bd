{{ config(materialized='view') }}

-- A view: the hook that ends every dbt command writes the rows, after the last model, and of failed commands too.
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
