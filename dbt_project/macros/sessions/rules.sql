{#- The session rules of the project, each in one place. -#}

{% macro timeout_microseconds() -%}{{ return(var('session_timeout_seconds') * 1000000) }}{%- endmacro %}

{#- The order of events in session tables: by time, by the source's order within one moment, and by event_id as text. -#}
{% macro event_order(rows=none, direction='asc') -%}
    {%- set columns = [] -%}
    {%- for column in ['timestamp', 'event_sequence', 'event_id'] -%}
        {%- do columns.append((rows ~ '.' if rows else '') ~ column ~ (' desc' if direction == 'desc' else '')) -%}
    {%- endfor -%}
    {{ return(columns | join(', ')) }}
{%- endmacro %}

{#- Whether events of this type make sessions. -#}
{% macro makes_sessions(event_type='event_type') -%}
    {{ event_type }} in ({% for type in var('session_event_types') %}'{{ type }}'{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}

{#- Whether events of this type describe a user. Identify calls have traits; other calls may be all that is known of a user. -#}
{% macro describes_user(event_type='event_type') -%}
    ({{ event_type }} = 'identify' or not ({{ makes_sessions(event_type) }}))
{%- endmacro %}

{#- Minutes, exact to the microsecond: one division of whole microseconds below 2^53, so that equal gaps are equal numbers. -#}
{% macro minutes_between(earlier, later) -%}
    cast({{ microseconds_between(earlier, later) }} as {{ type_double() }}) / 60000000
{%- endmacro %}

{#- The microseconds that minutes_between was given, recovered exactly. -#}
{% macro idle_microseconds(idle_time_minutes='idle_time_minutes') -%}
    cast(round({{ idle_time_minutes }} * 60000000) as {{ type_bigint() }})
{%- endmacro %}

{#- Whether an event starts a session: it is the first, or strictly more than the timeout after the one before. A gap of exactly the timeout continues. -#}
{% macro starts_session(earlier, later) -%}
    ({{ earlier }} is null or {{ microseconds_between(earlier, later) }} > {{ timeout_microseconds() }})
{%- endmacro %}

{% macro session_id(session_sequence_number='session_sequence_number', visitor='dbt_visitor_id') -%}
    concat(cast({{ session_sequence_number }} as {{ dbt.type_string() }}), ' - ', {{ visitor }})
{%- endmacro %}

{#- The parts of a session_id. The number comes first and has no dash, so a visitor id may hold anything. -#}
{% macro session_number_of(session_id='session_id') -%}
    cast(substr({{ session_id }}, 1, strpos({{ session_id }}, ' - ') - 1) as {{ type_bigint() }})
{%- endmacro %}
{% macro visitor_of(session_id='session_id') -%}
    substr({{ session_id }}, strpos({{ session_id }}, ' - ') + 3)
{%- endmacro %}

{#- Seconds, exact to the microsecond. -#}
{% macro seconds_between(earlier, later) -%}
    {{ seconds_of(microseconds_between(earlier, later)) }}
{%- endmacro %}
{% macro seconds_of(microseconds) -%}
    cast({{ microseconds }} as {{ type_double() }}) / 1000000
{%- endmacro %}

{#- The owner of an event where only devices are known, not people. -#}
{% macro client_id(alias=none) -%}
    {%- set prefix = alias ~ '.' if alias else '' -%}
    coalesce({{ prefix }}anonymous_id, {{ prefix }}user_id)
{%- endmacro %}

{#- The average of durations in seconds, computed from whole microseconds, so that the order of the rows does not change the last digits. -#}
{% macro average_seconds(seconds) -%}
    cast(sum(cast(round({{ seconds }} * 1000000) as {{ type_bigint() }})) as {{ type_double() }}) / 1000000 / count(*)
{%- endmacro %}
