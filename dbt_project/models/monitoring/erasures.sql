{{ config(materialized='view') }}

-- A view: the job forget_visitor writes the rows.
select
    erased_at,
    erasure_id,
    run_id,
    requested_by,
    aliases,
    raw_rows_removed,
    raw_rows_blanked,
    raw_rejects_removed,
    files_rewritten,
    days_rerun,
    log_rows_removed,
    tables_verified
from {{ internal_relation('erasures') }}
