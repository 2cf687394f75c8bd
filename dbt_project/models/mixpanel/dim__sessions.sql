{{ config(materialized='frontier', entity='user_id', at='start_time', date='start_date') }}

with events as (
    select * from {{ from_frontier(ref('session_events')) }} as session_events
),

sessions as (
    select
        dbt_visitor_id as user_id,
        day_session_number as session_id,
        event_date as start_date,
        event_date as end_date,
        min(timestamp) as start_time,
        max(timestamp) as end_time,
        {{ seconds_between('min(timestamp)', 'max(timestamp)') }} as session_duration_secs,
        {{ first_value_in_order('country', 'day_track_number') }} as country,
        {{ first_value_in_order('device', 'day_track_number') }} as device,
        {{ first_value_in_order('os', 'day_track_number') }} as os
    from events
    group by dbt_visitor_id, day_session_number, event_date
)

select * from sessions
