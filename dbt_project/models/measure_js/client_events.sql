{{ config(
    materialized='frontier', requests='affected_clients',
    entity='client_id', entity_kind='alias', at='timestamp', date='event_date'
) }}

-- depends_on: {{ ref('affected_clients') }}

with events as (
    select
        events.event_id,
        {{ client_id('events') }} as client_id,
        events.timestamp,
        events.event_sequence,
        events.event_date,
        {% if is_frontier_run() %}
            frontier.previous_event_at
        {% else %}
            {{ null_timestamp() }} as previous_event_at
        {% endif %}
    from {{ ref('events') }} as events
    {% if is_frontier_run() %}
    inner join {{ frontier_relation(model.name) }} as frontier
        on {{ client_id('events') }} = frontier.entity and events.timestamp >= frontier.reprocess_from
    {% endif %}
    where {{ makes_sessions('events.event_type') }} and events.event_date >= {{ frontier_date() }}
),

in_order as (
    select
        *,
        coalesce(
            lag(timestamp) over (partition by client_id order by {{ event_order() }}), previous_event_at
        ) as idle_since
    from events
),

client_events as (
    select
        event_id,
        client_id,
        timestamp,
        event_sequence,
        {{ minutes_between('idle_since', 'timestamp') }} as idle_time_minutes,
        event_date
    from in_order
)

select * from client_events
