{#- Events with their visitor, for a root of a frontier by visitor: events that meet the condition and lie at or after the visitor's frontier. Each has
    sessions_before, day_sessions_before and previous_event_at. `columns` are further columns: their names in the root's table -> SQL over core.events,
    which is named events. anonymous_id and user_id have to be among them: the root's own rows find their visitor by these. -#}
{% macro events_of_visitors(condition, columns) -%}
    with visitors as (
        {% if is_frontier_run() %}
            select
                aliases.alias,
                aliases.dbt_visitor_id,
                frontier.reprocess_from,
                frontier.sessions_before,
                frontier.day_sessions_before,
                frontier.previous_event_at
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

    {% if not is_frontier_run() %}
        {{ joined_with_visitors(ref('events'), columns, condition ~ ' and events.event_date >= ' ~ frontier_date()) }}
    {% else %}
        {%- set since_frontier = condition ~ ' and events.timestamp >= visitors.reprocess_from and ' %}
        {#- Own rows of a few days would cost the whole table if it is not divided by day. -#}
        {%- set reads_whole_table = not partition_column(config) and frontier_bounds().since >= recent_date() %}
        {%- if reads_whole_table or frontier_bounds().has_unread_events %}
        {{ joined_with_visitors(ref('events'), columns, since_frontier ~ 'events.event_date >= ' ~ frontier_date()) }}
        {%- else %}
        {{ joined_with_visitors(ref('events'), columns, since_frontier ~ in_days('events.event_date', frontier_plan().days)) }}
        union all
        {%- set own_columns = {} %}
        {%- for column in columns %}{% do own_columns.update({column: 'events.' ~ adapter.quote(column)}) %}{% endfor %}
        {{ joined_with_visitors('(' ~ rows_of_other_days() ~ ')', own_columns, 'true', alias='coalesce(events.user_id, events.anonymous_id)') }}
        {%- endif %}
    {% endif %}
{%- endmacro %}

{% macro joined_with_visitors(events, columns, condition, alias='events.alias') -%}
    select
        events.event_id,
        visitors.dbt_visitor_id,
        events.timestamp,
        events.event_sequence,
        events.event_date,
        {% for column, expression in columns.items() %}
        {{ expression }} as {{ adapter.quote(column) }},
        {% endfor %}
        visitors.sessions_before,
        visitors.day_sessions_before,
        visitors.previous_event_at
    from {{ events }} as events
    inner join visitors on {{ alias }} = visitors.alias
    where {{ condition }}
{%- endmacro %}
