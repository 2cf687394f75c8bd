{#- Ids in the form that the rules compare: without blanks around them, and null if they identify nobody. -#}

{#- The identifier, or null if it is empty or in blocked_ids (in any case of letters): such an identifier identifies nobody. -#}
{% macro identifier(text) -%}
    {%- set nobody = [''] -%}
    {%- for id in var('blocked_ids') -%}{%- do nobody.append(id | string | trim | lower) -%}{%- endfor -%}
    {%- set id = without_blanks(text) -%}
    case when lower({{ id }}) not in ({% for text in nobody | unique %}{{ text_literal(text) }}{{ ', ' if not loop.last }}{% endfor %}) then {{ id }} end
{%- endmacro %}

{#- The text without the prefix, if it has it. -#}
{% macro without_prefix(text, prefix) -%}
    case when starts_with({{ text }}, '{{ prefix }}') then substr({{ text }}, {{ prefix | length + 1 }}) else {{ text }} end
{%- endmacro %}

{#-
Mixpanel's ids. A device's id has or lacks the prefix `$device:`. After a login, distinct_id is the user and device_id is the device. A loader
that has no user_id writes the user only to distinct_id. Without a device_id, distinct_id is the device.
-#}
{% macro mixpanel_device(raw_table) -%}
    coalesce({{ mixpanel_device_id(raw_table) }}, {{ mixpanel_distinct_id(raw_table) }})
{%- endmacro %}
{% macro mixpanel_user(raw_table) -%}
    coalesce(
        {{ identifier(raw_text(raw_table, 'user_id')) }},
        case
            when
                {{ mixpanel_distinct_id(raw_table) }} <> {{ mixpanel_device_id(raw_table) }}
                and not starts_with({{ without_blanks(raw_text(raw_table, 'distinct_id')) }}, '$device:')
                then {{ mixpanel_distinct_id(raw_table) }}
        end
    )
{%- endmacro %}
{% macro mixpanel_device_id(raw_table) -%}{{ identifier(_without_device_prefix(raw_text(raw_table, 'device_id'))) }}{%- endmacro %}
{% macro mixpanel_distinct_id(raw_table) -%}{{ identifier(_without_device_prefix(raw_text(raw_table, 'distinct_id'))) }}{%- endmacro %}
{% macro _without_device_prefix(text) -%}({{ without_prefix(without_blanks(text), '$device:') }}){%- endmacro %}

{#- A raw column of texts; null if the raw table does not have it. -#}
{% macro raw_text(raw_table, name) -%}{{ return(raw_column({}, raw_columns(raw_table), name)) }}{%- endmacro %}

{#- Besides insert_id, Mixpanel's duplicates are equal in event, distinct_id and the whole second. -#}
{% macro mixpanel_copy_key(raw_table) -%}
    concat(
        cast({{ whole_seconds("timestamp '1970-01-01 00:00:00'", 'time') }} as {{ dbt.type_string() }}),
        ' ', coalesce({{ raw_text(raw_table, 'event') }}, ''), ' ', coalesce({{ without_blanks(raw_text(raw_table, 'distinct_id')) }}, '')
    )
{%- endmacro %}
