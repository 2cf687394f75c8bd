{{ config(
    materialized='frontier', requests='makes_sessions', keeps_requests=true,
    entity='dbt_visitor_id', entity_kind='visitor', at='timestamp', date='event_date', tags=['sessions']
) }}

{%- set columns = {} %}
{%- for column in ['anonymous_id', 'user_id', 'event', 'event_type', 'source', 'country', 'device', 'os'] %}
    {%- do columns.update({column: 'events.' ~ column}) %}
{%- endfor %}

with events as (
    {{ events_of_visitors(makes_sessions('events.event_type'), columns) }}
),

in_sessions as (
    {{ in_sessions('events', 'dbt_visitor_id') }}
),

session_events as (
    select
        event_id,
        source,
        event_type,
        event,
        anonymous_id,
        user_id,
        dbt_visitor_id,
        session_key,
        session_sequence_number,
        track_sequence_number,
        day_session_number,
        day_track_number,
        split_cause,
        {% for step in range(2, var('flow_length') + 1) %}
            event_{{ step }},
        {% endfor %}
        country,
        device,
        os,
        idle_time_minutes,
        event_sequence,
        timestamp,
        session_start_at,
        event_date
    from in_sessions
)

select * from session_events
