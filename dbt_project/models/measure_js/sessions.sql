{{ config(
    materialized='frontier', rewrite_from='session_number',
    entity='client_id', at=session_number_of('session_id'), date='session_start_date'
) }}

with events as (
    select * from {{ from_frontier(ref('events_sessionated'), entity='client_id') }} as sessionated
),

sessions as (
    select
        session_id,
        client_id,
        {{ last_value_in_order('events.user_id', 'events') }} as user_id,
        min(timestamp) as session_start,
        max(timestamp) as session_end,
        max(session_duration) as session_duration,
        cast(sum(case when event_type = 'page' then 1 else 0 end) as {{ type_bigint() }}) as pageviews,
        count(*) as total_events,
        count(distinct url) as unique_pages,
        {{ local_date('min(timestamp)') }} as session_start_date
    from events
    group by session_id, client_id
),

names as (
    select distinct session_id, event_name
    from events
    where event_name is not null
),

sorted as (
    select session_id, {{ sorted_array('event_name') }} as events
    from names
    group by session_id
),

named as (
    select
        sessions.session_id,
        sessions.client_id,
        sessions.user_id,
        sessions.session_start,
        sessions.session_end,
        sessions.session_duration,
        sessions.pageviews,
        sessions.total_events,
        sessions.unique_pages,
        coalesce(sorted.events, []) as events,
        sessions.session_start_date
    from sessions
    left join sorted on sessions.session_id = sorted.session_id
)

select * from named
