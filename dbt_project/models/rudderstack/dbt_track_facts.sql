{{ config(**storable_view(at='timestamp', date='event_date', unique_by=['event_id', 'event_date'])) }}

select
    anonymous_id,
    timestamp,
    event_id,
    event,
    {{ session_id() }} as session_id,
    session_key,
    dbt_visitor_id,
    track_sequence_number,
    event_date
from {{ from_frontier(ref('session_events')) }}
