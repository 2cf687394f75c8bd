{#- Schemas are named plainly on DuckDB; on BigQuery they become datasets <BIGQUERY_DATASET>_<schema>. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ return(adapter.dispatch('schema_name')(custom_schema_name or 'main')) }}
{%- endmacro %}

{% macro default__schema_name(schema) -%}
    {{ return(schema | trim) }}
{%- endmacro %}

{% macro bigquery__schema_name(schema) -%}
    {{ return(target.schema ~ '_' ~ schema | trim) }}
{%- endmacro %}

{#- A relation's schema as the project calls it. -#}
{% macro plain_schema(relation) -%}{{ return(adapter.dispatch('plain_schema')(relation)) }}{%- endmacro %}
{% macro default__plain_schema(relation) -%}{{ return(relation.schema) }}{%- endmacro %}
{% macro bigquery__plain_schema(relation) -%}{{ return(relation.schema[(target.schema | length) + 1:]) }}{%- endmacro %}
