{{ config(**storable_view(entity='user_id', at='time', date='date', unique_by=['event_id', 'date'])) }}

select
    dbt_visitor_id as user_id,
    day_session_number as session_id,
    event_id,
    event,
    timestamp as time,
    event_date as date,
    day_track_number as step_number,
    case when day_track_number > 1 then {{ seconds_of(idle_microseconds()) }} end as seconds_since_previous
from {{ from_frontier(ref('session_events')) }}
