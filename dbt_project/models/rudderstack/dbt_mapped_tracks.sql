{{ config(
    materialized='frontier', requests='affected_visitors',
    entity='dbt_visitor_id', at='timestamp', date='event_date'
) }}

-- depends_on: {{ ref('affected_visitors') }}

with visitors as (
    {% if is_frontier_run() %}
        select aliases.alias, aliases.dbt_visitor_id, frontier.reprocess_from, frontier.previous_event_at
        from {{ ref('dbt_aliases_mapping') }} as aliases
        inner join {{ frontier_relation(model.name) }} as frontier on aliases.dbt_visitor_id = frontier.entity
    {% else %}
        select alias, dbt_visitor_id, {{ null_timestamp() }} as reprocess_from, {{ null_timestamp() }} as previous_event_at
        from {{ ref('dbt_aliases_mapping') }}
    {% endif %}
),

events as (
    select
        events.event_id,
        events.anonymous_id,
        visitors.dbt_visitor_id,
        events.timestamp,
        events.event,
        events.event_date,
        visitors.previous_event_at
    from {{ ref('events') }} as events
    inner join visitors on events.alias = visitors.alias
    where {{ makes_sessions('events.event_type') }}
    {% if is_frontier_run() %}
        and events.timestamp >= visitors.reprocess_from and events.event_date >= {{ frontier_date() }}
    {% endif %}
),

in_order as (
    select
        *,
        coalesce(
            lag(timestamp) over (partition by dbt_visitor_id order by timestamp, event_id), previous_event_at
        ) as idle_since
    from events
),

mapped as (
    select
        event_id,
        anonymous_id,
        dbt_visitor_id,
        timestamp,
        event,
        {{ minutes_between('idle_since', 'timestamp') }} as idle_time_minutes,
        event_date
    from in_order
)

select * from mapped
