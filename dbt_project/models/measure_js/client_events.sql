{{ config(
    materialized='frontier', requests='makes_sessions', requested_by='client_id',
    entity='client_id', entity_kind='alias', at='timestamp', date='event_date'
) }}

{%- set of_event = ['event_type', 'user_id', 'event', 'url', 'path', 'title', 'referrer', 'country', 'device', 'os'] %}

with events as (
    select
        events.event_id,
        {{ client_id('events') }} as client_id,
        events.timestamp,
        events.event_sequence,
        events.event_date,
        {% for column in of_event %}
            events.{{ column }},
        {% endfor %}
        {% if is_frontier_run() %}
            frontier.sessions_before,
            frontier.day_sessions_before,
            frontier.previous_event_at
        {% else %}
            0 as sessions_before,
            0 as day_sessions_before,
            {{ null_timestamp() }} as previous_event_at
        {% endif %}
    from {{ ref('events') }} as events
    {% if is_frontier_run() %}
    inner join {{ frontier_relation(model.name) }} as frontier
        on {{ client_id('events') }} = frontier.entity and events.timestamp >= frontier.reprocess_from
    {% endif %}
    where {{ makes_sessions('events.event_type') }} and events.event_date >= {{ frontier_date() }}
),

in_sessions as (
    {{ in_sessions('events', 'client_id') }}
),

client_events as (
    select
        event_id,
        client_id,
        {% for column in of_event %}
            {{ column }},
        {% endfor %}
        session_sequence_number,
        track_sequence_number,
        day_session_number,
        idle_time_minutes,
        event_sequence,
        timestamp,
        session_start_at,
        session_end_at,
        event_date
    from in_sessions
)

select * from client_events
