{{ config(materialized='frontier', entity='user_id', at='time', date='date') }}

with sessions as (
    select user_id, session_id
    from {{ from_frontier(ref('dim__sessions'), entity='user_id', at='start_time', date='start_date') }} as dim
),

tracks as (
    select dbt_visitor_id, event_id, event, timestamp, event_sequence, event_date, idle_time_minutes
    from {{ from_frontier(ref('dbt_mapped_tracks')) }} as mapped
),

first_sessions as (
    select user_id, min(session_id) as first_session_id
    from sessions
    group by 1
),

numbered as (
    {{ numbered_with_midnight_split('tracks') }}
),

-- As in dbt_track_facts, one sort serves all.
first_tracks as (
    select dbt_visitor_id, session_number, visitor_track_number
    from numbered
    where is_start = 1
),

journey as (
    select
        numbered.dbt_visitor_id as user_id,
        cast(first_sessions.first_session_id + numbered.session_number - 1 as {{ type_bigint() }}) as session_id,
        numbered.event_id,
        numbered.event,
        numbered.timestamp as time,
        numbered.event_date as date,
        numbered.visitor_track_number - first_tracks.visitor_track_number + 1 as step_number,
        case when numbered.is_start = 0 then {{ seconds_of(idle_microseconds('numbered.idle_time_minutes')) }} end as seconds_since_previous
    from numbered
    inner join first_tracks
        on numbered.dbt_visitor_id = first_tracks.dbt_visitor_id and numbered.session_number = first_tracks.session_number
    inner join first_sessions on numbered.dbt_visitor_id = first_sessions.user_id
)

select * from journey
