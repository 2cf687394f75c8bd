{{ config(**storable_view(at='timestamp', date='event_date', unique_by=['event_id', 'event_date'])) }}

select
    event_id,
    {{ session_id() }} as session_id,
    track_sequence_number,
    event,
    dbt_visitor_id,
    timestamp,
    {% for step in range(2, var('flow_length') + 1) %}
        event_{{ step }},
    {% endfor %}
    event_date
from {{ from_frontier(ref('session_events')) }}
