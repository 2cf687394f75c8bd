{{ config(
    materialized='frontier', requests='affected_visitors',
    entity='dbt_visitor_id', entity_kind='visitor', at='timestamp', date='event_date'
) }}

-- depends_on: {{ ref('affected_visitors') }}

with events as (
    {{ events_of_visitors(makes_sessions('events.event_type'), ['events.anonymous_id', 'events.event']) }}
),

mapped as (
    select
        event_id,
        anonymous_id,
        dbt_visitor_id,
        timestamp,
        event_sequence,
        event,
        {{ minutes_between('idle_since', 'timestamp') }} as idle_time_minutes,
        event_date
    from events
)

select * from mapped
