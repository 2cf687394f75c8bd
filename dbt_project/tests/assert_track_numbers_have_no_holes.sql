{{ config(meta={'dagster': {'ref': {'name': 'dbt_track_facts'}}}) }}

-- The window's events of a session are numbered one after the other; a session's last number is its number of events.
with tracks as (
    select session_id, min(track_sequence_number) as first_number, max(track_sequence_number) as last_number, count(*) as track_count
    from {{ ref('dbt_track_facts') }}
    where {{ in_window('event_date') }}
    group by session_id
)

select session_id, first_number, last_number, track_count
from tracks
where last_number - first_number + 1 <> track_count
