{{ config(
    materialized='frontier', requests='makes_sessions', requested_by='client_id',
    entity='client_id', entity_kind='alias', at='timestamp', date='event_date'
) }}

{%- set of_event = ['event_type', 'user_id', 'event', 'url', 'path', 'title', 'referrer', 'country', 'device', 'os'] %}

{%- set columns = ['event_id', 'timestamp', 'event_sequence', 'event_date'] + of_event %}

with of_clients as (
    select
        {{ client_id() }} as client_id,
        {{ columns | join(', ') }}
    from {{ ref('events') }}
    where {{ makes_sessions() }} and {{ in_days('event_date', frontier_plan().days) if is_frontier_run() else 'event_date >= ' ~ frontier_date() }}
),

events as (
    {% if is_frontier_run() %}
        select
            rewritten.*,
            frontier.sessions_before,
            frontier.day_sessions_before,
            frontier.previous_event_at
        from (
            select * from of_clients
            union all
            select client_id, {{ columns | join(', ') }} from ({{ rows_of_other_days() }}) as other_days
        ) as rewritten
        inner join {{ frontier_relation(model.name) }} as frontier
            on rewritten.client_id = frontier.entity and rewritten.timestamp >= frontier.reprocess_from
    {% else %}
        select
            *,
            0 as sessions_before,
            0 as day_sessions_before,
            {{ null_timestamp() }} as previous_event_at
        from of_clients
    {% endif %}
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
