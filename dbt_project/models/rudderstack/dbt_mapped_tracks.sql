{{ config(**storable_view(at='timestamp', date='event_date', unique_by=['event_id', 'event_date'])) }}

select
    event_id,
    anonymous_id,
    dbt_visitor_id,
    timestamp,
    event,
    idle_time_minutes,
    event_date
from {{ from_frontier(ref('session_events')) }}
