{#- Events with their visitor, for a root of a frontier by visitor: events that meet the condition and lie at or after the visitor's frontier. Each has
    sessions_before, day_sessions_before and previous_event_at. `columns` are further columns of core.events, which is named events. -#}
{% macro events_of_visitors(condition, columns) -%}
    with visitors as (
        {% if is_frontier_run() %}
            select
                aliases.alias,
                aliases.dbt_visitor_id,
                frontier.reprocess_from,
                frontier.sessions_before,
                frontier.day_sessions_before,
                frontier.previous_event_at,
                {{ is_recent('frontier.reprocess_from') }} as is_recent
            from {{ source('core', 'identity_graph') }} as aliases
            inner join {{ frontier_relation(model.name) }} as frontier on aliases.dbt_visitor_id = frontier.entity
        {% else %}
            select
                alias,
                dbt_visitor_id,
                0 as sessions_before,
                0 as day_sessions_before,
                {{ null_timestamp() }} as previous_event_at
            from {{ source('core', 'identity_graph') }}
        {% endif %}
    )

    {% if is_frontier_run() %}
        {%- set since_frontier = condition ~ ' and events.timestamp >= visitors.reprocess_from' -%}
        {{ joined_with_visitors(since_frontier ~ ' and visitors.is_recent', columns, "date '" ~ recent_date() ~ "'") }}
        union all
        {{ joined_with_visitors(since_frontier ~ ' and not visitors.is_recent', columns, backdated_date()) }}
    {% else %}
        {{ joined_with_visitors(condition, columns, frontier_date()) }}
    {% endif %}
{%- endmacro %}

{% macro joined_with_visitors(condition, columns, since) -%}
    select
        events.event_id,
        visitors.dbt_visitor_id,
        events.timestamp,
        events.event_sequence,
        events.event_date,
        {{ columns | join(', ') }},
        visitors.sessions_before,
        visitors.day_sessions_before,
        visitors.previous_event_at
    from {{ ref('events') }} as events
    inner join visitors on events.alias = visitors.alias
    where {{ condition }} and events.event_date >= {{ since }}
{%- endmacro %}
