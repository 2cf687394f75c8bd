{#- Type names that differ between warehouses. dbt.type_float and dbt.type_int are 32 bits wide on DuckDB, too narrow here. -#}

{% macro type_double() -%}{{ return(adapter.dispatch('type_double')()) }}{%- endmacro %}
{% macro default__type_double() -%}{{ return('double') }}{%- endmacro %}
{% macro bigquery__type_double() -%}{{ return('float64') }}{%- endmacro %}

{% macro type_bigint() -%}{{ return(adapter.dispatch('type_bigint')()) }}{%- endmacro %}
{% macro default__type_bigint() -%}{{ return('bigint') }}{%- endmacro %}
{% macro bigquery__type_bigint() -%}{{ return('int64') }}{%- endmacro %}

{#- A conversion's value, such as a sum of money: six decimals, added up exactly. -#}
{% macro type_amount() -%}{{ return(adapter.dispatch('type_amount')()) }}{%- endmacro %}
{% macro default__type_amount() -%}{{ return('decimal(38, 6)') }}{%- endmacro %}
{% macro bigquery__type_amount() -%}{{ return('bignumeric') }}{%- endmacro %}

{#- A text as an amount, rounded half away from zero; null if it is not a number, or one of more than 18 digits before the point, whose sums might be
    too large. -#}
{% macro as_amount(text) -%}{{ return(adapter.dispatch('as_amount')(text)) }}{%- endmacro %}
{#- DuckDB would read 1_000 as a number. -#}
{% macro default__as_amount(text) -%}
    try_cast(try_cast(replace({{ text }}, '_', 'x') as decimal(24, 6)) as {{ type_amount() }})
{%- endmacro %}
{% macro bigquery__as_amount(text) -%}
    {%- set amount = 'round(safe_cast(' ~ text ~ ' as ' ~ type_amount() ~ '), 6)' -%}
    if(abs({{ amount }}) < bignumeric '1e18', {{ amount }}, null)
{%- endmacro %}
