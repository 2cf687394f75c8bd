{{ config(materialized='rollup', key='date', parent_key='event_date', date='date') }}

with events as (
    select * from {{ ref('client_events') }}
    where {{ is_changed_key('event_date') }}
),

-- A session counts once on each of its days, with its whole duration.
sessions as (
    select distinct event_date, client_id, {{ seconds_between('session_start_at', 'session_end_at') }} as session_duration, session_sequence_number
    from events
),

session_totals as (
    select event_date, count(*) as total_sessions, {{ average_seconds('session_duration') }} as avg_session_duration
    from sessions
    group by event_date
),

event_totals as (
    select
        event_date,
        count(distinct client_id) as daily_active_users,
        count(distinct user_id) as daily_active_registered_users,
        count(*) as total_events,
        cast(sum(case when event_type = 'page' then 1 else 0 end) as {{ type_bigint() }}) as pageviews
    from events
    group by event_date
),

hours as (
    select
        event_date,
        cast({{ local_hour('timestamp') }} as {{ type_bigint() }}) as hour,
        {{ local_hour_start('timestamp') }} as hour_block,
        count(*) as event_count
    from events
    group by event_date, hour, hour_block
),

hours_of_days as (
    select
        event_date,
        {{ structs_in_order('hour_block', ['hour_block', 'hour', 'event_count']) }} as hours
    from hours
    group by event_date
),

days as (
    select
        event_totals.event_date as date,
        event_totals.daily_active_users,
        event_totals.daily_active_registered_users,
        session_totals.total_sessions,
        event_totals.total_events,
        event_totals.pageviews,
        session_totals.avg_session_duration,
        hours_of_days.hours
    from event_totals
    inner join session_totals on event_totals.event_date = session_totals.event_date
    inner join hours_of_days on event_totals.event_date = hours_of_days.event_date
)

select * from days
