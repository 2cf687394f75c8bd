{{ config(materialized='view', date='session_start_date') }}

select
    {{ session_id() }} as session_id,
    session_key,
    dbt_visitor_id,
    session_start_at,
    session_sequence_number,
    next_session_start_at,
    split_cause,
    session_start_date
from {{ ref('core_sessions') }}
