{#-
The state of a frontier model: internal.<model>__state has one row per entity, with what later runs need to know about the time before their
frontier, so that they need not read history. It is written in the transaction of the table's rows. Two kinds of models have it:

  roots of sessions       where the entity's last sessions were
  config.prior_columns    the entity's last row: row_at (its config.at) and these columns

For most entities a run's frontier lies after what the state describes. For the others (is_earlier) a state is made of the entity's rows before the
frontier, which are read from the table. Either way the frontier gets the columns: of the second kind, prior_row_at and prior_<column>.
-#}

{% macro state_relation(model_name) -%}{{ return(internal_relation(model_name ~ '__state')) }}{%- endmacro %}

{#- State rows from all rows of a table. If the rows are only those of a run, its `frontier` has the sessions before them. -#}
{% macro state_rows(relation, frontier=none) -%}
    {%- if config.get('prior_columns') -%}{{ return(last_rows(relation)) }}{%- endif -%}
    {{ return(session_states(relation, frontier)) }}
{%- endmacro %}

{#- Statements after the table is rewritten. If an entity has no rows left at or after its frontier, its state is that before the frontier. -#}
{% macro state_statements(this_run, frontier) -%}
    {%- set state = state_relation(model.name) -%}
    {%- set deletion -%}
        delete from {{ state }} where entity in (select entity from {{ frontier }})
    {%- endset -%}
    {%- set rewritten -%}
        insert into {{ state }} {{ state_rows(this_run, frontier) }}
    {%- endset -%}
    {%- set emptied -%}
        insert into {{ state }}
        {{ prior_state(frontier) if config.get('prior_columns') else session_states_before(frontier) }}
        and entity not in (select entity from {{ state }})
    {%- endset -%}
    {{ return([deletion, rewritten, emptied]) }}
{%- endmacro %}

{#- For the model's text. One row per entity that has a row before its frontier: entity, and config.prior_columns of the last such row. Empty if
    everything is rebuilt; `types` then gives each column a type. -#}
{% macro prior_rows(types) -%}
    {%- if is_frontier_run() -%}
    {{ prior_state(frontier_relation(model.name)) }}
    {%- else -%}
    select
        cast(null as {{ dbt.type_string() }}) as entity{% for column, type in types.items() %},
        cast(null as {{ type }}) as {{ column }}{% endfor %}
    from (select 1 as one) as nothing
    where false
    {%- endif -%}
{%- endmacro %}

{#- State rows of a model with config.prior_columns: each entity's last row by config.prior_order. -#}
{% macro last_rows(relation) -%}
    select {{ config.get('entity') }} as entity, {{ config.get('at') }} as row_at, {{ config.get('prior_columns') | join(', ') }}
    from {{ relation }} as stream
    where {{ since_ever(config.get('date')) }}
    qualify row_number() over (partition by {{ config.get('entity') }} order by {{ config.require('prior_order') | join(' desc, ') }} desc) = 1
{%- endmacro %}

{#- The frontier of a model with config.prior_columns: each change, with its entity's row of `states` if that row is earlier than the change. -#}
{% macro frontier_with_prior_rows(changes, states, root) -%}
    select
        changes.entity,
        changes.reprocess_from,
        changes.previous_session_at,
        root_state.first_session_at,
        coalesce(state.row_at >= {{ as_at('changes.reprocess_from') }} and root_state.first_session_at < changes.reprocess_from, false) as is_earlier
        {%- for column in state_columns() %},
        case when state.row_at < {{ as_at('changes.reprocess_from') }} then state.{{ column }} end as prior_{{ column }}
        {%- endfor %}
    from ({{ changes }}) as changes
    left join {{ states }} as state on changes.entity = state.entity
    left join {{ state_relation(root) }} as root_state on changes.entity = root_state.entity
{%- endmacro %}

{#- The state rows of the time before the frontier, of the entities with is_earlier. `since` and `until` are dates that bound their rows. -#}
{% macro earlier_states(relation, frontier, since, until) -%}
    {%- set rows -%}
        (
            select stream.*
            from {{ relation }} as stream
            inner join {{ frontier }} as frontier
                on
                    {{ config.get('entity') }} = frontier.entity
                    and {{ config.get('at') }} < {{ as_at('frontier.reprocess_from') }}
            where
                frontier.is_earlier
                and {{ config.get('date') }} >= date '{{ since }}'
                and {{ config.get('date') }} <= date '{{ until }}'
        )
    {%- endset -%}
    {{ return(state_rows(rows)) }}
{%- endmacro %}

{% macro state_columns() -%}{{ return(['row_at'] + config.get('prior_columns')) }}{%- endmacro %}

{#- State rows of a model with config.prior_columns, from its frontier. A condition can be added. -#}
{% macro prior_state(frontier) -%}
    select entity{% for column in state_columns() %}, prior_{{ column }} as {{ column }}{% endfor %}
    from {{ frontier }}
    where prior_row_at is not null
{%- endmacro %}

{#- State rows of a root, from its frontier. A condition can be added. They lack the session before the last one. A request that needs it reads the
    entity's rows. -#}
{% macro session_states_before(frontier) -%}
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
    where sessions_before > 0
{%- endmacro %}

{#- State rows of a root of sessions. -#}
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

    -- All of these grow from session to session.
    states as (
        select
            entity,
            min(started_at) as first_session_at,
            max(session_sequence_number) as session_count,
            max(day_session_count) as day_session_count,
            max(day_sessions_before) as day_sessions_before_last,
            {{ second_largest('started_at') }} as previous_session_at,
            {{ second_largest('ended_at') }} as previous_session_ended_at,
            max(started_at) as last_session_at,
            max(ended_at) as last_event_at
        from sessions
        group by entity
    )

    {% if not frontier -%}
    select * from states
    {%- else -%}
    select
        states.entity,
        coalesce(case when frontier.sessions_before > 0 then frontier.first_session_at end, states.first_session_at) as first_session_at,
        states.session_count,
        states.day_session_count,
        states.day_sessions_before_last,
        coalesce(states.previous_session_at, frontier.previous_session_at) as previous_session_at,
        coalesce(states.previous_session_ended_at, frontier.previous_event_at) as previous_session_ended_at,
        states.last_session_at,
        states.last_event_at
    from states
    inner join {{ frontier }} as frontier on states.entity = frontier.entity
    {%- endif %}
{%- endmacro %}
