{#-
A root's requests: one row per entity, partition and reason, with the moment from which its rows can differ. They come from the changes that the root has
not followed yet: days of core.events that were written, and aliases that moved.

An entity is a visitor, or the value of a macro's expression over core.events (config.requested_by), which never moves.

has_unread_events is 1 if an alias is new in the graph and has events on days that the root may have followed before.
-#}
{% macro requests_of_root(relation, plan) -%}
    {%- set by_visitor = not config.get('requested_by') -%}
    with events_now as (
        select
            {{ 'graph.dbt_visitor_id' if by_visitor else context[config.get('requested_by')]('events') }} as entity,
            events.event_date as partition_date,
            min(events.timestamp) as reprocess_from
        from {{ ref_by_name('events') }} as events
        {% if by_visitor %}inner join {{ source('core', 'identity_graph') }} as graph on events.alias = graph.alias{% endif %}
        where {{ in_days('events.event_date', plan.days) }} and {{ context[config.require('requests')]('events.event_type') }}
        group by 1, 2
    ),

    -- The table's rows before this run: deleted and corrected events leave no other trace of their entity.
    events_before as (
        select {{ config.require('entity') }} as entity, {{ config.require('date') }} as partition_date, min({{ config.require('at') }}) as reprocess_from
        from {{ relation }}
        where {{ in_days(config.require('date'), plan.days) }}
        group by 1, 2
    ),

    {% if by_visitor -%}
    -- An alias that is new in the graph has no previous visitor. A root may have followed its days before, without its events.
    moved_aliases as (
        select alias, previous_visitor_id as entity, partition_date, 'identity_change' as reason, false as is_new
        from {{ change_queue() }}
        where {{ moved_since(plan) }} and previous_visitor_id is not null
        union all
        select
            alias,
            dbt_visitor_id,
            partition_date,
            case when previous_visitor_id is null then 'events' else 'identity_change' end,
            previous_visitor_id is null
        from {{ change_queue() }}
        where {{ moved_since(plan) }}
    ),

    -- The first event that moves with the alias: an event without a user_id moves with its anonymous_id.
    identity_changes as (
        select
            moved_aliases.entity,
            moved_aliases.partition_date,
            moved_aliases.reason,
            min(pairs.first_event_at) as reprocess_from,
            {%- set first_date, last_date = local_date('pairs.first_event_at'), local_date('pairs.last_event_at') %}
            max(case when moved_aliases.is_new and not {{ in_days(first_date, plan.days, last_date) }} then 1 else 0 end) as has_unread_events
        from moved_aliases
        inner join {{ internal_relation('identity_pairs') }} as pairs on moved_aliases.alias = coalesce(pairs.user_id, pairs.anonymous_id)
        group by 1, 2, 3
    ),

    {% endif -%}
    requests as (
        select partition_date, entity, reprocess_from, 'events' as reason, 0 as has_unread_events from events_now
        union all
        select partition_date, entity, reprocess_from, 'previous_events' as reason, 0 as has_unread_events from events_before
        {% if by_visitor -%}
        union all
        select partition_date, entity, reprocess_from, reason, has_unread_events from identity_changes
        {%- endif %}
    )

    select partition_date, entity, min(reprocess_from) as reprocess_from, reason, max(has_unread_events) as has_unread_events
    from requests
    group by partition_date, entity, reason
{%- endmacro %}

{% macro moved_since(plan) -%}
    origin = 'identity_graph' and sequence > {{ plan.followed_sequence }} and sequence <= {{ plan.sequence }}
{%- endmacro %}
