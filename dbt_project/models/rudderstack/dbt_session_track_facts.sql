{{ config(materialized='view', date='session_start_date') }}

select
    {{ session_id() }} as session_id,
    session_end_at as ended_at,
    event_count as num_pvs,
    {% for column in counted_events() %}
        {{ column }},
    {% endfor %}
    session_start_date
from {{ ref('core_sessions') }}
