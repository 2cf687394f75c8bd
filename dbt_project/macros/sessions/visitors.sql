{#- The root of a frontier by visitor: each event that meets the condition with the person behind it, and idle_since, the time of that person's
    event before (null for their first). `columns` are further ones of core.events, named events. -#}
{% macro events_of_visitors(condition, columns) -%}
    with visitors as (
        {% if is_frontier_run() %}
            select
                aliases.alias,
                aliases.dbt_visitor_id,
                frontier.reprocess_from,
                frontier.previous_event_at,
                {{ is_near('frontier.reprocess_from') }} as is_near
            from {{ ref('dbt_aliases_mapping') }} as aliases
            inner join {{ frontier_relation(model.name) }} as frontier on aliases.dbt_visitor_id = frontier.entity
        {% else %}
            select alias, dbt_visitor_id, {{ null_timestamp() }} as previous_event_at from {{ ref('dbt_aliases_mapping') }}
        {% endif %}
    ),

    events as (
        {% if is_frontier_run() %}
            {{ joined_with_visitors(condition ~ ' and events.timestamp >= visitors.reprocess_from and visitors.is_near', columns, "date '" ~ near_date() ~ "'") }}
            union all
            {{ joined_with_visitors(condition ~ ' and events.timestamp >= visitors.reprocess_from and not visitors.is_near', columns, far_date()) }}
        {% else %}
            {{ joined_with_visitors(condition, columns, frontier_date()) }}
        {% endif %}
    )

        select
            *,
            coalesce(
                lag(timestamp) over (partition by dbt_visitor_id order by {{ event_order() }}), previous_event_at
            ) as idle_since
        from events
{%- endmacro %}

{% macro joined_with_visitors(condition, columns, since) -%}
    select
        events.event_id,
        visitors.dbt_visitor_id,
        events.timestamp,
        events.event_sequence,
        events.event_date,
        {{ columns | join(', ') }},
        visitors.previous_event_at
    from {{ ref('events') }} as events
    inner join visitors on events.alias = visitors.alias
    where {{ condition }} and events.event_date >= {{ since }}
{%- endmacro %}
