{#- Type names that differ between warehouses. dbt.type_float and dbt.type_int are 32 bits wide on DuckDB, too narrow here. -#}

{% macro type_double() -%}{{ return(adapter.dispatch('type_double')()) }}{%- endmacro %}
{% macro default__type_double() -%}{{ return('double') }}{%- endmacro %}
{% macro bigquery__type_double() -%}{{ return('float64') }}{%- endmacro %}

{% macro type_bigint() -%}{{ return(adapter.dispatch('type_bigint')()) }}{%- endmacro %}
{% macro default__type_bigint() -%}{{ return('bigint') }}{%- endmacro %}
{% macro bigquery__type_bigint() -%}{{ return('int64') }}{%- endmacro %}

{% macro type_json() -%}{{ return(adapter.dispatch('type_json')()) }}{%- endmacro %}
{% macro default__type_json() -%}{{ return('json') }}{%- endmacro %}
