{#- The additional work of a frontier's root: find the frontier, keep each entity's state, note what was rewritten. -#}

{#-
One row per requested entity: reprocess_from (the requested moment, moved back to the start of the session that may still have been
open then) and the sessions before it: sessions_before and day_sessions_before (how many), previous_session_at (start of the last one),
previous_event_at (its end), first_session_at (start of the first one).

Most requests concern a new day: they lie after the entity's last event or within its last session, and its state row is enough.
Only the others (is_earlier) read the entity's earlier rows. If a root's rows are in no sessions, there is nothing before.
-#}
{% macro requested_frontier(relation, plan) -%}
    {% call statement('note_requests') -%}{{ table_of(requested_relation(), requests_of_root(relation, plan)) }}{%- endcall %}
    {%- set requested -%}
        (select entity, min(reprocess_from) as requested_from from {{ requested_relation() }} group by 1) as requested
    {%- endset -%}
    {{ return(located_frontier(requested) if plan.has_state else frontier_without_sessions(requested)) }}
{%- endmacro %}

{#- The requests that this run of the root has to meet. -#}
{% macro requested_relation() -%}{{ return(internal_relation(model.name ~ '__requested')) }}{%- endmacro %}

{#- Stores the requests of each partition's last run, for people to look at (config.keeps_requests). -#}
{% macro requests_kept() -%}
    {%- set kept = requests_relation(model.name) -%}
    {%- set deletion -%}
        delete from {{ kept }} where partition_date in (select partition_date from {{ requested_relation() }})
    {%- endset -%}
    {{ return([deletion, insert_into(kept, 'select * from ' ~ requested_relation())] if config.get('keeps_requests') else []) }}
{%- endmacro %}

{% macro frontier_without_sessions(requested) -%}
    select
        entity,
        requested_from as reprocess_from,
        0 as sessions_before,
        0 as day_sessions_before,
        {{ null_timestamp() }} as previous_session_at,
        {{ null_timestamp() }} as previous_event_at
    from {{ requested }}
{%- endmacro %}

{#- The frontier, as the entities' state rows give it. -#}
{% macro located_frontier(requested) -%}
    with located as (
        select
            requested.entity,
            requested.requested_from,
            state.first_session_at,
            coalesce(state.session_count, 0) as session_count,
            coalesce(state.day_session_count, 0) as day_session_count,
            state.day_sessions_before_last,
            state.previous_session_at,
            state.previous_session_ended_at,
            state.last_session_at,
            state.last_event_at,
            case
                when state.entity is null or requested.requested_from > {{ still_open_until('state.last_event_at') }} then 'after the last session'
                when
                    state.session_count = 1
                    or requested.requested_from > {{ still_open_until('state.previous_session_ended_at') }} then 'in the last session'
                else 'earlier'
            end as place
        from {{ requested }}
        left join {{ state_relation(model.name) }} as state on requested.entity = state.entity
    )

    select
        entity,
        case place when 'in the last session' then least(requested_from, last_session_at) else requested_from end as reprocess_from,
        case place when 'in the last session' then session_count - 1 else session_count end as sessions_before,
        case place when 'in the last session' then day_sessions_before_last else day_session_count end as day_sessions_before,
        case place when 'in the last session' then previous_session_at else last_session_at end as previous_session_at,
        case place when 'in the last session' then previous_session_ended_at else last_event_at end as previous_event_at,
        first_session_at,
        place = 'earlier' as is_earlier
    from located
{%- endmacro %}

{#- The same frontier, completed from the rows of the entities with is_earlier. `since` and `until` are dates that bound these rows. -#}
{% macro earlier_frontier(relation, frontier, since, until) -%}
    with known as (
        select * from {{ frontier }}
    ),

    earlier_sessions as (
        select
            known.entity,
            known.reprocess_from as requested_from,
            known.first_session_at,
            stream.session_sequence_number,
            min(stream.session_start_at) as started_at,
            max(stream.{{ config.get('at') }}) as ended_at,
            min(stream.day_session_number) - 1 as day_sessions_before,
            max(stream.day_session_number) as day_session_count
        from {{ relation }} as stream
        inner join known on stream.{{ config.get('entity') }} = known.entity and stream.{{ config.get('at') }} < known.reprocess_from
        where
            known.is_earlier
            and stream.{{ config.get('date') }} >= date '{{ since }}' and stream.{{ config.get('date') }} <= date '{{ until }}'
        group by 1, 2, 3, 4
    ),

    last_earlier_sessions as (
        select
            *,
            lag(started_at) over (partition by entity order by session_sequence_number) as before_started_at,
            lag(ended_at) over (partition by entity order by session_sequence_number) as before_ended_at,
            requested_from <= {{ still_open_until('ended_at') }} as is_open
        from earlier_sessions
        qualify row_number() over (partition by entity order by session_sequence_number desc) = 1
    )

    select * from known
    where not is_earlier
    union all
    select
        entity,
        case when is_open then started_at else requested_from end,
        case when is_open then session_sequence_number - 1 else session_sequence_number end,
        case when is_open then day_sessions_before else day_session_count end,
        case when is_open then before_started_at else started_at end,
        case when is_open then before_ended_at else ended_at end,
        first_session_at,
        true
    from last_earlier_sessions
    union all
    select entity, reprocess_from, 0, 0, {{ null_timestamp() }}, {{ null_timestamp() }}, {{ null_timestamp() }}, true
    from known
    where is_earlier and entity not in (select entity from earlier_sessions)
{%- endmacro %}

{#- The last moment at which an event may belong to the session with this last event. -#}
{% macro still_open_until(last_event_at) -%}{{ return(add_microseconds(last_event_at, timeout_microseconds())) }}{%- endmacro %}

{% macro ref_by_name(name) -%}
    {%- for node in graph.nodes.values() if node.name == name and node.resource_type == 'model' -%}
        {{ return(relation_of(node)) }}
    {%- endfor -%}
{%- endmacro %}

{#- Statements after the stream is rewritten: new state rows, and notes for the models below of what was rewritten. -#}
{% macro root_statements(plan, this_run, frontier) -%}
    {%- set note -%}
        insert into {{ change_queue() }} (sequence, origin, entity, reprocess_from, previous_session_at)
        select {{ plan.sequence }}, '{{ model.name }}', entity, reprocess_from, previous_session_at from {{ frontier }}
    {%- endset -%}
    {{ return((state_statements(this_run, frontier) if plan.has_state else []) + requests_kept() + [note]) }}
{%- endmacro %}

{#- If an entity has no rows left at or after its frontier, its state comes from the frontier's columns about the time before. Such a state lacks the
    session before the last one; a request that needs it reads the entity's rows. -#}
{% macro state_statements(this_run, frontier) -%}
    {%- set state = state_relation(model.name) -%}
    {%- set deletion -%}
        delete from {{ state }} where entity in (select entity from {{ frontier }})
    {%- endset -%}
    {%- set rewritten -%}
        insert into {{ state }} {{ session_states(this_run, frontier) }}
    {%- endset -%}
    {%- set emptied -%}
        insert into {{ state }}
        select
            entity,
            first_session_at,
            sessions_before,
            day_sessions_before,
            case when sessions_before = 1 then 0 end,
            {{ null_timestamp() }},
            {{ null_timestamp() }},
            previous_session_at,
            previous_event_at
        from {{ frontier }}
        where sessions_before > 0 and entity not in (select entity from {{ state }})
    {%- endset -%}
    {{ return([deletion, rewritten, emptied]) }}
{%- endmacro %}

{#- State rows, one per entity, from its rows in the stream: from all rows, or from a run's rows and the `frontier`'s columns about the time before. -#}
{% macro session_states(relation, frontier=none) -%}
    with sessions as (
        select
            stream.{{ config.get('entity') }} as entity,
            stream.session_sequence_number,
            min(stream.session_start_at) as started_at,
            max(stream.{{ config.get('at') }}) as ended_at,
            min(stream.day_session_number) - 1 as day_sessions_before,
            max(stream.day_session_number) as day_session_count
        from {{ relation }} as stream
        {% if not frontier %}
        where {{ since_ever('stream.' ~ config.get('date')) }}
        {% endif %}
        group by 1, 2
    ),

    last_sessions as (
        select
            *,
            min(started_at) over (partition by entity) as first_started_at,
            lag(started_at) over (partition by entity order by session_sequence_number) as before_started_at,
            lag(ended_at) over (partition by entity order by session_sequence_number) as before_ended_at
        from sessions
        qualify row_number() over (partition by entity order by session_sequence_number desc) = 1
    )

    select
        sessions.entity,
        {% if frontier %}
        coalesce(case when frontier.sessions_before > 0 then frontier.first_session_at end, sessions.first_started_at) as first_session_at,
        {% else %}
        sessions.first_started_at as first_session_at,
        {% endif %}
        sessions.session_sequence_number as session_count,
        sessions.day_session_count,
        sessions.day_sessions_before as day_sessions_before_last,
        {% if frontier %}
        coalesce(sessions.before_started_at, frontier.previous_session_at) as previous_session_at,
        coalesce(sessions.before_ended_at, frontier.previous_event_at) as previous_session_ended_at,
        {% else %}
        sessions.before_started_at as previous_session_at,
        sessions.before_ended_at as previous_session_ended_at,
        {% endif %}
        sessions.started_at as last_session_at,
        sessions.ended_at as last_event_at
    from last_sessions as sessions
    {% if frontier %}
    inner join {{ frontier }} as frontier on sessions.entity = frontier.entity
    {% endif %}
{%- endmacro %}
