{#- What the root of a frontier does besides: find the frontier, keep each entity's state, log what was rewritten. -#}

{% macro empty_log() -%}
    select
        cast(0 as {{ type_bigint() }}) as sequence,
        cast('' as {{ dbt.type_string() }}) as entity,
        {{ null_timestamp() }} as reprocess_from,
        cast(0 as {{ type_bigint() }}) as sessions_before,
        {{ null_timestamp() }} as previous_session_at
    from (select 1 as one) as nothing
    where false
{%- endmacro %}

{#-
One row per requested entity: reprocess_from (the requested moment, moved back to the start of the session that may still have been
open then) and what lies before it: sessions_before, previous_session_at (start of the last of them), previous_event_at (its end),
first_session_at (of all).

Most requests concern a new day: they lie after the entity's last event or within its last session, and the state row knows
everything. Only the others look at the entity's earlier rows.
-#}
{% macro requested_frontier(relation) -%}
    {%- set located = internal_relation(model.name ~ '__located') -%}
    {% call statement('locate_requests') -%}{{ table_of(located, located_requests()) }}{%- endcall %}
    {%- set earlier = run_query(
        "select count(*) as entities, " ~ date_text('min(first_session_at)') ~ " as since, " ~ date_text('max(requested_from)') ~ " as until from "
        ~ located ~ " where place = 'earlier'"
    )[0] -%}
    {{ return(frontier_of_located(relation, located, earlier)) }}
{%- endmacro %}

{#- Each request with its entity's state, and whether that tells enough. -#}
{% macro located_requests() -%}
    with requested as (
        select {{ config.get('entity') }} as entity, min(reprocess_from) as requested_from
        from {{ ref_by_name(config.require('requests')) }}
        where {{ in_window('partition_date') }}
        group by 1
    )

    select
        requested.entity,
        requested.requested_from,
        state.first_session_at,
        coalesce(state.session_count, 0) as session_count,
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
    from requested
    left join {{ state_relation(model.name) }} as state on requested.entity = state.entity
{%- endmacro %}

{% macro frontier_of_located(relation, located, earlier) -%}
    with located as (
        select * from {{ located }}
    ),

    known as (
        select
            entity,
            requested_from as reprocess_from,
            session_count as sessions_before,
            last_session_at as previous_session_at,
            last_event_at as previous_event_at,
            first_session_at
        from located where place = 'after the last session'
        union all
        select
            entity,
            least(requested_from, last_session_at) as reprocess_from,
            session_count - 1 as sessions_before,
            previous_session_at,
            previous_session_ended_at as previous_event_at,
            first_session_at
        from located where place = 'in the last session'
    )
    {%- if earlier['entities'] == 0 %}

    select * from known
    {%- else %},

    earlier_events as (
        select
            located.entity, located.requested_from, located.first_session_at, stream.{{ config.get('at') }} as event_at, stream.idle_time_minutes
        from {{ relation }} as stream
        inner join located on stream.{{ config.get('entity') }} = located.entity and stream.{{ config.get('at') }} < located.requested_from
        where
            located.place = 'earlier'
            and stream.{{ config.get('date') }} >= date '{{ earlier['since'] }}' and stream.{{ config.get('date') }} <= date '{{ earlier['until'] }}'
    ),

    last_earlier_event as (
        select entity, max(event_at) as event_at from earlier_events group by 1
    ),

    earlier_sessions as (
        select
            entity,
            requested_from,
            first_session_at,
            event_at as session_at,
            {{ add_microseconds('event_at', '-' ~ idle_microseconds()) }} as before_session_at,
            lag(event_at) over (partition by entity order by event_at) as session_before_at,
            count(*) over (partition by entity) as session_count,
            row_number() over (partition by entity order by event_at desc) as nth_last
        from earlier_events
        where {{ is_session_start() }}
    ),

    from_history as (
        select
            sessions.*,
            last_earlier_event.event_at as last_event_at,
            sessions.requested_from <= {{ still_open_until('last_earlier_event.event_at') }} as is_open
        from earlier_sessions as sessions
        inner join last_earlier_event on sessions.entity = last_earlier_event.entity
        where sessions.nth_last = 1
    )

    select * from known
    union all
    select
        entity,
        case when is_open then session_at else requested_from end,
        case when is_open then session_count - 1 else session_count end,
        case when is_open then session_before_at else session_at end,
        case when is_open then before_session_at else last_event_at end,
        first_session_at
    from from_history
    union all
    select entity, requested_from, 0, {{ null_timestamp() }}, {{ null_timestamp() }}, {{ null_timestamp() }}
    from located
    where place = 'earlier' and entity not in (select entity from earlier_sessions)
    {%- endif %}
{%- endmacro %}

{#- An event up to this moment may belong to the session whose last event is given. -#}
{% macro still_open_until(last_event_at) -%}
    {{ return(add_microseconds(last_event_at, timeout_microseconds())) }}
{%- endmacro %}

{% macro ref_by_name(name) -%}
    {%- for node in graph.nodes.values() if node.name == name and node.resource_type == 'model' -%}
        {{ return(api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias)) }}
    {%- endfor -%}
{%- endmacro %}

{#- After the stream is rewritten: new state rows and log entries. Of an entity that has nothing left at or after its frontier, the state is what
    the frontier says of the time before; it does not know the session before the last then, and a request that asks for it looks at the
    entity's rows. -#}
{% macro root_statements(plan, tail, frontier) -%}
    {%- set state = state_relation(model.name) -%}
    {{ return([
        'delete from ' ~ state ~ ' where entity in (select entity from ' ~ frontier ~ ')',
        'insert into ' ~ state ~ ' ' ~ session_states(tail, frontier),
        'insert into ' ~ state ~ ' select entity, first_session_at, sessions_before, ' ~ null_timestamp() ~ ', ' ~ null_timestamp()
        ~ ', previous_session_at, previous_event_at from ' ~ frontier ~ ' where sessions_before > 0 and entity not in (select entity from ' ~ state ~ ')',
        'insert into ' ~ log_relation(model.name)
        ~ ' (sequence, entity, reprocess_from, sessions_before, previous_session_at) select '
        ~ plan.sequence ~ ', entity, reprocess_from, sessions_before, previous_session_at from ' ~ frontier,
        'delete from ' ~ log_relation(model.name) ~ ' where sequence <= (select min(sequence) from ' ~ frontier_progress_relation()
        ~ " where model in ('" ~ frontier_followers() | join("', '") ~ "'))",
    ]) }}
{%- endmacro %}

{#- The models that follow this root's log. Log entries that all of them have followed are dropped. -#}
{% macro frontier_followers() -%}
    {%- set followers = [] -%}
    {%- for node in graph.nodes.values() if node.config.materialized == 'frontier' and node.unique_id != model.unique_id -%}
        {%- if frontier_root(node).unique_id == model.unique_id -%}{%- do followers.append(node.name) -%}{%- endif -%}
    {%- endfor -%}
    {{ return(followers) }}
{%- endmacro %}

{#- State rows, one per entity, from its rows in the stream: all of them, or a tail's on top of what its `frontier` says lies before. -#}
{% macro session_states(relation, frontier=none) -%}
    with stream as (
        select
            stream.{{ config.get('entity') }} as entity,
            stream.{{ config.get('at') }} as event_at,
            stream.idle_time_minutes,
            {% if frontier %}
            frontier.sessions_before, frontier.previous_session_at, frontier.first_session_at
            {% else %}
            0 as sessions_before, {{ null_timestamp() }} as previous_session_at, {{ null_timestamp() }} as first_session_at
            {% endif %}
        from {{ relation }} as stream
        {% if frontier %}
        inner join {{ frontier }} as frontier on stream.{{ config.get('entity') }} = frontier.entity
        {% else %}
        where {{ since_ever('stream.' ~ config.get('date')) }}
        {% endif %}
    ),

    last_events as (
        select entity, max(event_at) as last_event_at from stream group by 1
    ),

    session_starts as (
        select
            entity,
            coalesce(case when sessions_before > 0 then first_session_at end, min(event_at) over (partition by entity)) as first_session_at,
            sessions_before + count(*) over (partition by entity) as session_count,
            coalesce(lag(event_at) over (partition by entity order by event_at), previous_session_at) as previous_session_at,
            {{ add_microseconds('event_at', '-' ~ idle_microseconds()) }} as previous_session_ended_at,
            event_at as last_session_at,
            row_number() over (partition by entity order by event_at desc) as nth_last
        from stream
        where {{ is_session_start() }}
    )

    select
        session_starts.entity,
        session_starts.first_session_at,
        session_starts.session_count,
        session_starts.previous_session_at,
        session_starts.previous_session_ended_at,
        session_starts.last_session_at,
        last_events.last_event_at
    from session_starts
    inner join last_events on session_starts.entity = last_events.entity
    where session_starts.nth_last = 1
{%- endmacro %}
