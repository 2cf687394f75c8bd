{#- Written after a CTE's `as`. DuckDB then computes the CTE once, however many others read it. Without the word, analytics.session_facts took a third
    more processor time. BigQuery has no such word. -#}
{% macro computed_once() -%}{{ return(adapter.dispatch('computed_once')()) }}{%- endmacro %}
{% macro default__computed_once() -%}{{ return('materialized') }}{%- endmacro %}
{% macro bigquery__computed_once() -%}{{ return('') }}{%- endmacro %}
