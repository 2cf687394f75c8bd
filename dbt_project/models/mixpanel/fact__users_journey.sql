{{ config(materialized='frontier', entity='user_id', at='time', date='date') }}

with sessions as (
    select user_id, session_id
    from {{ from_frontier(ref('dim__sessions'), entity='user_id', at='start_time', date='start_date') }} as dim
),

tracks as (
    select dbt_visitor_id, event_id, event, timestamp, event_date, idle_time_minutes
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

journey as (
    select
        numbered.dbt_visitor_id as user_id,
        cast(first_sessions.first_session_id + numbered.session_number - 1 as {{ type_bigint() }}) as session_id,
        numbered.event_id,
        numbered.event,
        numbered.timestamp as time,
        numbered.event_date as date,
        row_number() over session_order as step_number,
        {{ seconds_between('lag(numbered.timestamp) over session_order', 'numbered.timestamp') }} as seconds_since_previous
    from numbered
    inner join first_sessions on numbered.dbt_visitor_id = first_sessions.user_id
    window session_order as (
        partition by numbered.dbt_visitor_id, numbered.session_number order by numbered.timestamp, numbered.event_id
    )
)

select * from journey
