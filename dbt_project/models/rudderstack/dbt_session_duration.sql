{{ config(**storable_view(at='session_start_date', date='session_start_date', rewrite_from='date', unique_by=['session_id'])) }}

select
    dbt_visitor_id,
    {{ session_id() }} as session_id,
    {{ minutes_between('session_start_at', 'session_end_at') }} as session_duration,
    session_start_date
from {{ from_frontier(ref('core_sessions'), at='session_start_at', date='session_start_date') }}
