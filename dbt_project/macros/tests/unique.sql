{#- A condition that no row fails whose columns stand more than once. On DuckDB numbers made of the columns are grouped before texts are, which takes
    half the time, and leaves few to be looked at; on BigQuery it would read the table once more. -#}
{% macro may_be_repeated(model, columns) -%}{{ return(adapter.dispatch('may_be_repeated')(model, columns)) }}{%- endmacro %}
{% macro default__may_be_repeated(model, columns) -%}
    {%- set key = 'hash(' ~ columns | join(', ') ~ ')' -%}
    {{ key }} in (select {{ key }} from {{ model }} group by 1 having count(*) > 1)
{%- endmacro %}
{% macro bigquery__may_be_repeated(model, columns) -%}true{%- endmacro %}
