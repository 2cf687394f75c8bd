{{ config(materialized='view', date='session_start_date') }}

select
    dbt_visitor_id,
    {{ session_id() }} as session_id,
    {{ minutes_between('session_start_at', 'session_end_at') }} as session_duration,
    session_start_date
from {{ ref('core_sessions') }}
