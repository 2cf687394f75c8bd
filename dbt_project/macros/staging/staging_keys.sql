{#- The canonical columns that columns and expressions of stage_events may name. -#}
{% macro canonical_columns() -%}
    {{ return(['event_id', 'anonymous_id', 'user_id', 'previous_id', 'event_type', 'timestamp', 'received_at', 'event_sequence'] + event_attributes()) }}
{%- endmacro %}

{#- Notes in the model's meta the keys that the model gave to stage_events. They have to agree with the sources' yml, which is not known while a
    project is parsed. sessionization_dagster/dbt/staging_keys.py compares them when the definitions load. -#}
{% macro note_staging_keys(columns, expressions, kept) -%}
    {%- set keys = {'canonical': canonical_columns(), 'columns': columns, 'expressions': expressions.keys() | list, 'kept': kept} -%}
    {%- do config(meta={'staged ' ~ local_md5(tojson(keys)): keys}) -%}
{%- endmacro %}

{#- The expression for a time, as a timestamp; none if there is no expression. -#}
{% macro time_expression(expressions, name) -%}
    {{ return('cast(' ~ expressions[name] ~ ' as ' ~ dbt.type_timestamp() ~ ')' if name in expressions else none) }}
{%- endmacro %}
