{{ config(**storable_view(at='session_start_at', date='session_start_date', rewrite_from='previous_session', unique_by=['session_id'])) }}

select
    {{ session_id() }} as session_id,
    session_key,
    dbt_visitor_id,
    session_start_at,
    session_sequence_number,
    next_session_start_at,
    split_cause,
    session_start_date
from {{ from_frontier(ref('core_sessions'), at='session_start_at', date='session_start_date') }}
