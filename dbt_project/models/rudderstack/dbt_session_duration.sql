{{ config(
    materialized='frontier', rewrite_from='session_number',
    entity='dbt_visitor_id', at=session_number_of('session_id'), date='session_start_date'
) }}

with sessions as (
    select dbt_visitor_id, session_id, session_start_at, session_start_date
    from {{ from_frontier(ref('dbt_session_tracks'), at='session_start_at', date='session_start_date') }} as session_tracks
),

ends as (
    select session_id, ended_at
    from {{ rewritten_rows(ref('dbt_session_track_facts')) }}
    where session_start_date >= {{ frontier_date() }}
),

durations as (
    select
        sessions.dbt_visitor_id,
        sessions.session_id,
        {{ minutes_between('sessions.session_start_at', 'ends.ended_at') }} as session_duration,
        sessions.session_start_date
    from sessions
    inner join ends on sessions.session_id = ends.session_id
)

select * from durations
