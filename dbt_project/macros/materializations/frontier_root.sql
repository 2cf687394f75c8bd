{#- The additional work of a frontier's root: find the frontier, keep the requests, note what was rewritten. -#}

{#- The requests of this run, one row per entity: reprocess_from, and with config.keeps_requests all of the entity's requests as an array. -#}
{% macro requests_by_entity(relation, plan) -%}
    select
        entity,
        {% if config.get('keeps_requests') -%}
        {{ structs_in_order('reprocess_from', ['partition_date', 'reprocess_from', 'reason']) }} as requests,
        {% endif -%}
        min(reprocess_from) as reprocess_from,
        max(has_unread_events) as has_unread_events
    from ({{ requests_of_root(relation, plan) }}) as request
    group by entity
{%- endmacro %}

{#- Stores the requests of each partition's last run, for people to look at (config.keeps_requests). -#}
{% macro requests_kept(frontier) -%}
    {%- if not config.get('keeps_requests') -%}{{ return([]) }}{%- endif -%}
    {%- set kept = requests_relation(model.name) -%}
    {%- set requested = frontier ~ ' as frontier cross join ' ~ unnested('frontier.requests', 'request') -%}
    {%- set deletion -%}
        delete from {{ kept }} where partition_date in (select request.partition_date from {{ requested }})
    {%- endset -%}
    {%- set insertion -%}
        insert into {{ kept }} (partition_date, entity, reprocess_from, reason)
        select request.partition_date, frontier.entity, request.reprocess_from, request.reason from {{ requested }}
    {%- endset -%}
    {{ return([deletion, insertion]) }}
{%- endmacro %}

{#- The frontier of a root whose rows are in no sessions: there is nothing before. -#}
{% macro frontier_without_sessions(requested) -%}
    select
        requested.*,
        0 as sessions_before,
        0 as day_sessions_before,
        {{ null_timestamp() }} as previous_session_at,
        {{ null_timestamp() }} as previous_event_at
    from ({{ requested }}) as requested
{%- endmacro %}

{#-
The frontier of a root of sessions: reprocess_from, moved back to the start of the session that may still have been open then, and the sessions before
it: sessions_before and day_sessions_before (how many), previous_session_at (start of the last one), previous_event_at (its end), first_session_at
(start of the first one).

Most requests concern a new day: they lie after the entity's last event or within its last session, or before all of them, and its state row is enough.
For the others, find_frontier makes states from their rows before the request, and calls this macro again.
-#}
{% macro frontier_of_sessions(requested, states) -%}
    with located as (
        select
            requested.*,
            state.first_session_at,
            coalesce(state.session_count, 0) as session_count,
            coalesce(state.day_session_count, 0) as day_session_count,
            state.day_sessions_before_last,
            state.previous_session_at,
            state.previous_session_ended_at,
            state.last_session_at,
            state.last_event_at,
            case
                when state.entity is null or requested.reprocess_from > {{ still_open_until('state.last_event_at') }} then 'after the last session'
                when
                    state.session_count = 1
                    or requested.reprocess_from > {{ still_open_until('state.previous_session_ended_at') }} then 'in the last session'
                else 'earlier'
            end as place
        from ({{ requested }}) as requested
        -- A state without a session before the request says nothing about the time before it.
        left join {{ states }} as state on requested.entity = state.entity and state.first_session_at < requested.reprocess_from
    )

    select
        entity,
        {{ 'requests,' if config.get('keeps_requests') }}
        case place when 'in the last session' then least(reprocess_from, last_session_at) else reprocess_from end as reprocess_from,
        case place when 'in the last session' then session_count - 1 else session_count end as sessions_before,
        case place when 'in the last session' then day_sessions_before_last else day_session_count end as day_sessions_before,
        case place when 'in the last session' then previous_session_at else last_session_at end as previous_session_at,
        case place when 'in the last session' then previous_session_ended_at else last_event_at end as previous_event_at,
        first_session_at,
        has_unread_events,
        place = 'earlier' as is_earlier
    from located
{%- endmacro %}

{#- The last moment at which an event may belong to the session with this last event. -#}
{% macro still_open_until(last_event_at) -%}{{ return(add_microseconds(last_event_at, timeout_microseconds())) }}{%- endmacro %}

{% macro ref_by_name(name) -%}
    {%- for node in graph.nodes.values() if node.name == name and node.resource_type == 'model' -%}
        {{ return(relation_of(node)) }}
    {%- endfor -%}
{%- endmacro %}

{#- Statements after a root is rewritten: the requests, and notes for the models below of what was rewritten. -#}
{% macro root_statements(plan, frontier) -%}
    {%- set note -%}
        insert into {{ change_queue() }} (sequence, origin, entity, reprocess_from, previous_session_at)
        select {{ plan.sequence }}, '{{ model.name }}', entity, reprocess_from, previous_session_at from {{ frontier }}
    {%- endset -%}
    {{ return(requests_kept(frontier) + [note]) }}
{%- endmacro %}
