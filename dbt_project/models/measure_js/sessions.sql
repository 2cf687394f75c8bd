{{ config(materialized='frontier', entity='client_id', at='session_start', date='session_start_date') }}

with events as (
    select * from {{ from_frontier(ref('client_events'), entity='client_id') }} as client_events
),

sessions as (
    select
        client_id,
        session_sequence_number,
        {{ last_value_in_order('events.user_id', 'events') }} as user_id,
        session_start_at,
        session_end_at,
        cast(sum(case when event_type = 'page' then 1 else 0 end) as {{ type_bigint() }}) as pageviews,
        count(*) as total_events,
        count(distinct url) as unique_pages
    from events
    group by client_id, session_sequence_number, session_start_at, session_end_at
),

names as (
    select distinct client_id, session_sequence_number, event
    from events
    where event is not null
),

sorted as (
    select client_id, session_sequence_number, {{ sorted_array('event') }} as events
    from names
    group by client_id, session_sequence_number
),

named as (
    select
        {{ session_id('sessions.session_sequence_number', 'sessions.client_id') }} as session_id,
        sessions.client_id,
        sessions.user_id,
        sessions.session_start_at as session_start,
        sessions.session_end_at as session_end,
        {{ seconds_between('sessions.session_start_at', 'sessions.session_end_at') }} as session_duration,
        sessions.pageviews,
        sessions.total_events,
        sessions.unique_pages,
        coalesce(sorted.events, []) as events,
        {{ local_date('sessions.session_start_at') }} as session_start_date
    from sessions
    left join sorted
        on sessions.client_id = sorted.client_id and sessions.session_sequence_number = sorted.session_sequence_number
)

select * from named
