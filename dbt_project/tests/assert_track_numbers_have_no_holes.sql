{{ config(meta={'dagster': {'ref': {'name': 'session_events'}}}) }}

-- The window's events of a session are numbered one after the other. A session's last number is its number of events. If a clock change turns the local
-- date back, an event between two events of one date may have the date before. So sessions that seem to have a hole are read with the days around.
with tracks as (
    select dbt_visitor_id, session_sequence_number, min(track_sequence_number) as first_number, max(track_sequence_number) as last_number, count(*) as track_count
    from {{ ref('session_events') }}
    where {{ in_window('event_date') }}
    group by dbt_visitor_id, session_sequence_number
),

suspects as (
    select dbt_visitor_id, session_sequence_number from tracks
    where last_number - first_number + 1 <> track_count
),

around as (
    select
        events.dbt_visitor_id,
        events.session_sequence_number,
        events.event_date,
        events.track_sequence_number,
        lag(events.track_sequence_number) over session_order as previous_number,
        lag(events.event_date) over session_order as previous_date
    from {{ ref('session_events') }} as events
    inner join suspects
        on events.dbt_visitor_id = suspects.dbt_visitor_id and events.session_sequence_number = suspects.session_sequence_number
    where
        events.event_date >= {{ days_from('window_start', -1) }}
        and events.event_date < {{ days_from('window_end', 1) }}
    window session_order as (
        partition by events.dbt_visitor_id, events.session_sequence_number order by events.track_sequence_number
    )
)

select dbt_visitor_id, session_sequence_number, event_date, previous_number, track_sequence_number
from around
where
    track_sequence_number <> previous_number + 1
    and (({{ in_window('event_date') }}) or ({{ in_window('previous_date') }}))
