{{ config(materialized='frontier', entity='client_id', at='session_start', date='session_start_date') }}

with events as (
    select * from {{ from_frontier(ref('client_events'), entity='client_id') }} as client_events
),

sessions as (
    select
        client_id,
        session_sequence_number,
        -- The newest user_id: the order is reversed.
        {{ first_value_in_order('user_id', '-1 * track_sequence_number') }} as user_id,
        session_start_at,
        session_end_at,
        cast(sum(case when event_type = 'page' then 1 else 0 end) as {{ type_bigint() }}) as pageviews,
        count(*) as total_events,
        count(distinct url) as unique_pages,
        {{ gathered('event') }} as event_names
    from events
    group by client_id, session_sequence_number, session_start_at, session_end_at
),

named as (
    select
        {{ session_id('session_sequence_number', 'client_id') }} as session_id,
        client_id,
        user_id,
        session_start_at as session_start,
        session_end_at as session_end,
        {{ seconds_between('session_start_at', 'session_end_at') }} as session_duration,
        pageviews,
        total_events,
        unique_pages,
        {{ sorted_distinct('event_names') }} as events,
        {{ local_date('session_start_at') }} as session_start_date
    from sessions
)

select * from named
