{#- Columns that settings ask for. Each name is checked, because a warehouse silently renames a second column of one name (user_id_1). -#}

{#- Traits, each a column of segment_users and of segment_user_calls. -#}
{% macro user_traits() -%}
    {%- set fixed = [
        'user_id', 'first_seen_at', 'first_identify_at', 'first_call_at',
        'event_id', 'dbt_visitor_id', 'anonymous_id', 'event_type', 'timestamp', 'event_sequence', 'event_date',
    ] -%}
    {{ return(_require_new_names('segment_user_traits', var('segment_user_traits'), fixed, 'take it out: core.events.properties has the trait')) }}
{%- endmacro %}

{#- Counters, each a column of core.sessions and of dbt_session_track_facts: column -> event. -#}
{% macro counted_events() -%}
    {%- set fixed = [
        'session_id', 'ended_at', 'num_pvs', 'session_start_date',
        'session_key', 'dbt_visitor_id', 'session_sequence_number', 'split_cause', 'event_count', 'session_start_at', 'session_end_at',
        'next_session_start_at',
    ] -%}
    {%- do _require_new_names('counted_events', var('counted_events').keys() | list, fixed, 'call it otherwise, cnt_..., say') -%}
    {{ return(var('counted_events')) }}
{%- endmacro %}

{#- The names, if all differ. Column names have no case. -#}
{% macro _require_new_names(variable, names, fixed, remedy) -%}
    {%- set taken = fixed[:] -%}
    {%- for name in names -%}
        {%- if name | lower in taken -%}
            {% do exceptions.raise_compiler_error(
                'The var ' ~ variable ~ " names '" ~ name ~ "', but its table has a column of that name already. Where the var is set (the file of "
                ~ 'SESSIONIZATION_SETTINGS, or dbt_project.yml), ' ~ remedy ~ '.'
            ) %}
        {%- endif -%}
        {%- do taken.append(name | lower) -%}
    {%- endfor -%}
    {{ return(names) }}
{%- endmacro %}
