{#- Written after a CTE's `as`: DuckDB computes the CTE once, however many others read it. Without the word it computes a CTE without a sort or an
    aggregation for each of them. BigQuery has no such word. -#}
{% macro computed_once() -%}{{ return(adapter.dispatch('computed_once')()) }}{%- endmacro %}
{% macro default__computed_once() -%}{{ return('materialized') }}{%- endmacro %}
{% macro bigquery__computed_once() -%}{{ return('') }}{%- endmacro %}
