{{ config(meta={'dagster': {'ref': {'name': 'dbt_track_facts'}}}) }}

-- The window's events of a session are numbered one after the other; a session's last number is its number of events. Where a clock change turns the
-- local date back, an event between two of a date may have the date before: sessions that seem to have a hole are looked at with the days around.
with tracks as (
    select session_id, min(track_sequence_number) as first_number, max(track_sequence_number) as last_number, count(*) as track_count
    from {{ ref('dbt_track_facts') }}
    where {{ in_window('event_date') }}
    group by session_id
),

suspects as (
    select session_id from tracks
    where last_number - first_number + 1 <> track_count
),

around as (
    select
        session_id,
        event_date,
        track_sequence_number,
        lag(track_sequence_number) over (partition by session_id order by track_sequence_number) as previous_number,
        lag(event_date) over (partition by session_id order by track_sequence_number) as previous_date
    from {{ ref('dbt_track_facts') }}
    where
        event_date >= {{ days_from('window_start', -1) }}
        and event_date < {{ days_from('window_end', 1) }}
        and session_id in (select session_id from suspects)
)

select session_id, event_date, previous_number, track_sequence_number
from around
where
    track_sequence_number <> previous_number + 1
    and (({{ in_window('event_date') }}) or ({{ in_window('previous_date') }}))
