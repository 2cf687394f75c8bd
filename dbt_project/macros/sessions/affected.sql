{#- What a root's visitors are rewritten for: one row per visitor, partition of the run's window and reason. `events` is a condition on the
    events that the root takes, `root` the name of its model. -#}
{% macro affected_by(events, root) -%}
with events as (
    select alias, event_type, timestamp, event_date
    from {{ ref("events") }}
    where {{ in_window('event_date') }} and {{ events }}
),

identity_graph as (
    select alias, dbt_visitor_id from {{ source('core', 'identity_graph') }}
),

events_now as (
    select identity_graph.dbt_visitor_id, events.event_date as partition_date, min(events.timestamp) as reprocess_from
    from events
    inner join identity_graph on events.alias = identity_graph.alias
    group by 1, 2
),

-- What stood in the window before this run: deleted and corrected rows leave their visitor no other trace.
events_before as (
    select dbt_visitor_id, event_date as partition_date, min(timestamp) as reprocess_from
    from {{ rows_before_this_run(root) }} as mapped
    where {{ in_window('event_date') }}
    group by 1, 2
),

moved_aliases as (
    select alias, previous_visitor_id as dbt_visitor_id, partition_date
    from {{ source('core', 'identity_changes') }}
    where {{ in_window('partition_date') }}
    union all
    select alias, dbt_visitor_id, partition_date
    from {{ source('core', 'identity_changes') }}
    where {{ in_window('partition_date') }}
),

-- The first event that moves with the alias: an event without a user_id moves with its anonymous_id.
identity_changes as (
    select moved_aliases.dbt_visitor_id, moved_aliases.partition_date, min(pairs.first_event_at) as reprocess_from
    from moved_aliases
    inner join {{ internal_relation('identity_pairs') }} as pairs on moved_aliases.alias = coalesce(pairs.user_id, pairs.anonymous_id)
    group by 1, 2
),

affected as (
    select partition_date, dbt_visitor_id, reprocess_from, 'events' as reason
    from events_now
    union all
    select partition_date, dbt_visitor_id, reprocess_from, 'previous_events' as reason
    from events_before
    union all
    select partition_date, dbt_visitor_id, reprocess_from, 'identity_change' as reason
    from identity_changes
)

select * from affected
{%- endmacro %}
