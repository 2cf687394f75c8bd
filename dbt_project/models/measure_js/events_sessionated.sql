{{ config(**storable_view(entity='client_id', at='timestamp', date='event_date', unique_by=['event_id', 'event_date'])) }}

select
    event_id,
    event_type,
    client_id,
    user_id,
    {{ session_id('session_sequence_number', 'client_id') }} as session_id,
    event as event_name,
    url,
    path,
    title,
    referrer,
    country,
    device,
    os,
    case when track_sequence_number = 1 then 1 else 0 end as new_session,
    session_sequence_number as session_number,
    {{ seconds_between('session_start_at', 'session_end_at') }} as session_duration,
    event_sequence,
    timestamp,
    event_date
from {{ from_frontier(ref('client_events'), entity='client_id') }}
