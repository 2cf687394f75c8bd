{{ config(meta={'dagster': {'ref': {'name': 'dbt_session_tracks'}}}) }}

-- A session ends strictly more than the timeout before the visitor's next one starts.
with sessions as (
    select session_id, session_start_at, next_session_start_at from {{ ref('dbt_session_tracks') }}
    where {{ in_window('session_start_date') }}
),

ends as (
    select session_id, ended_at from {{ ref('dbt_session_track_facts') }}
    where {{ in_window('session_start_date') }}
)

select sessions.session_id, sessions.session_start_at, ends.ended_at, sessions.next_session_start_at
from sessions
left join ends on sessions.session_id = ends.session_id
where
    ends.ended_at is null
    or ends.ended_at < sessions.session_start_at
    or {{ microseconds_between('ends.ended_at', 'sessions.next_session_start_at') }} <= {{ timeout_microseconds() }}
