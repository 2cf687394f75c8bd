{#- The canonical columns that columns and expressions of stage_events may name. -#}
{% macro canonical_columns() -%}
    {{ return(['event_id', 'anonymous_id', 'user_id', 'previous_id', 'event_type', 'timestamp', 'received_at', 'event_sequence'] + event_attributes()) }}
{%- endmacro %}

{#- Notes the keys that a model gave stage_events, in the model's meta: the sources' yml, which they have to agree with, is not known while a
    project is parsed, nor which source is meant. sessionization_dagster/dbt/staging_keys.py compares them when the definitions load. -#}
{% macro note_staging_keys(columns, expressions, kept) -%}
    {%- set keys = {'canonical': canonical_columns(), 'columns': columns, 'expressions': expressions.keys() | list, 'kept': kept} -%}
    {%- do config(meta={'staged ' ~ local_md5(tojson(keys)): keys}) -%}
{%- endmacro %}

{#- An expression of a time, as a timestamp; none where there is none. -#}
{% macro time_expression(expressions, name) -%}
    {{ return('cast(' ~ expressions[name] ~ ' as ' ~ dbt.type_timestamp() ~ ')' if name in expressions else none) }}
{%- endmacro %}
