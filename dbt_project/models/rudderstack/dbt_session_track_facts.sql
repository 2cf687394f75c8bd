{{ config(**storable_view(entity=visitor_of('session_id'), at='session_start_date', date='session_start_date', rewrite_from='date', unique_by=['session_id'])) }}

select
    {{ session_id() }} as session_id,
    session_end_at as ended_at,
    event_count as num_pvs,
    {% for column in counted_events() %}
        {{ column }},
    {% endfor %}
    session_start_date
from {{ from_frontier(ref('core_sessions'), at='session_start_at', date='session_start_date') }}
