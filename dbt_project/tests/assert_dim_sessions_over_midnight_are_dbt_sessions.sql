{{ config(meta={'dagster': {'ref': {'name': 'dim__sessions'}}}) }}

-- The parts that midnight cuts a session into begin where it begins, end where it ends, and lie within it.
with sessions as (
    select
        session_tracks.session_id,
        session_tracks.dbt_visitor_id,
        session_tracks.session_start_at,
        track_facts.ended_at
    from {{ ref('dbt_session_tracks') }} as session_tracks
    inner join {{ ref('dbt_session_track_facts') }} as track_facts on session_tracks.session_id = track_facts.session_id
    where {{ in_window('session_tracks.session_start_date') }} and {{ in_window('track_facts.session_start_date') }}
),

parts as (
    select user_id, session_id, start_time, end_time, start_date
    from {{ ref('dim__sessions') }}
    where start_date >= date '{{ window_start() }}'
),

summed as (
    select
        sessions.session_id,
        sessions.session_start_at,
        sessions.ended_at,
        min(parts.start_time) as first_start,
        max(parts.end_time) as last_end,
        count(distinct parts.start_date) as part_dates,
        count(parts.session_id) as part_count
    from sessions
    left join parts
        on
            sessions.dbt_visitor_id = parts.user_id
            and sessions.session_start_at <= parts.start_time
            and sessions.ended_at >= parts.start_time
    group by sessions.session_id, sessions.session_start_at, sessions.ended_at
)

select session_id, session_start_at, first_start, ended_at, last_end, part_dates, part_count
from summed
where
    part_count = 0
    or first_start <> session_start_at
    or last_end <> ended_at
    or part_dates <> part_count
