{#- Time arithmetic that differs between warehouses. Everything is UTC and counted in microseconds: whole-unit differences
    (elapsed units on BigQuery, crossed boundaries on DuckDB) do not agree with each other. -#}

{#- Microseconds from `earlier` to `later`, exact; null where either is. -#}
{% macro microseconds_between(earlier, later) -%}
    {{ return(adapter.dispatch('microseconds_between')(earlier, later)) }}
{%- endmacro %}
{% macro default__microseconds_between(earlier, later) -%}
    {{ return("date_diff('microsecond', " ~ earlier ~ ", " ~ later ~ ")") }}
{%- endmacro %}

{#- `at` moved by a whole number of microseconds (an expression, may be negative). -#}
{% macro add_microseconds(at, microseconds) -%}
    {{ return(adapter.dispatch('add_microseconds')(at, microseconds)) }}
{%- endmacro %}
{% macro default__add_microseconds(at, microseconds) -%}
    {{ return("(" ~ at ~ " + to_microseconds(" ~ microseconds ~ "))") }}
{%- endmacro %}

{#- The reporting-timezone date of a UTC timestamp. -#}
{% macro local_date(at) -%}
    {{ return(adapter.dispatch('local_date')(at)) }}
{%- endmacro %}
{% macro default__local_date(at) -%}
    {%- if var('timezone') == 'UTC' -%}
        {{ return("cast(" ~ at ~ " as date)") }}
    {%- else -%}
        {{ return("cast(timezone('" ~ var('timezone') ~ "', timezone('UTC', " ~ at ~ ")) as date)") }}
    {%- endif -%}
{%- endmacro %}

{#- The UTC instant `days` after a date (YYYY-MM-DD) begins in UTC: for bounds with a day to spare, so that the timezone, at most 14
    hours away, does not matter. -#}
{% macro start_of_date(date, days) -%}
    {{ return("timestamp '" ~ shifted(date, days) ~ " 00:00:00'") }}
{%- endmacro %}
