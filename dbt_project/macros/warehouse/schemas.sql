{#- On DuckDB schemas have plain names. On BigQuery they are datasets <BIGQUERY_DATASET>_<schema>. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ return(adapter.dispatch('schema_name')(custom_schema_name or 'main')) }}
{%- endmacro %}

{% macro default__schema_name(schema) -%}
    {{ return(schema | trim) }}
{%- endmacro %}

{% macro bigquery__schema_name(schema) -%}
    {{ return(target.schema ~ '_' ~ schema | trim) }}
{%- endmacro %}

{#- The project's name for a relation's schema. -#}
{% macro plain_schema(relation) -%}{{ return(adapter.dispatch('plain_schema')(relation)) }}{%- endmacro %}
{% macro default__plain_schema(relation) -%}{{ return(relation.schema) }}{%- endmacro %}
{% macro bigquery__plain_schema(relation) -%}{{ return(relation.schema[(target.schema | length) + 1:]) }}{%- endmacro %}
