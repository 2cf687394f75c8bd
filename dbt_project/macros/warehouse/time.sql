{#- Time arithmetic, where warehouses differ. All times are UTC and counted in microseconds, because differences in whole units do not agree:
    BigQuery counts elapsed units, DuckDB crossed boundaries. -#}

{#- Microseconds from `earlier` to `later`, exact; null if either is null. -#}
{% macro microseconds_between(earlier, later) -%}
    {{ return(adapter.dispatch('microseconds_between')(earlier, later)) }}
{%- endmacro %}
{% macro default__microseconds_between(earlier, later) -%}
    {{ return("date_diff('microsecond', " ~ earlier ~ ", " ~ later ~ ")") }}
{%- endmacro %}
{% macro bigquery__microseconds_between(earlier, later) -%}
    {{ return("timestamp_diff(" ~ later ~ ", " ~ earlier ~ ", microsecond)") }}
{%- endmacro %}

{#- `at` moved by a whole number of microseconds (an expression, may be negative). -#}
{% macro add_microseconds(at, microseconds) -%}
    {{ return(adapter.dispatch('add_microseconds')(at, microseconds)) }}
{%- endmacro %}
{% macro default__add_microseconds(at, microseconds) -%}
    {{ return("(" ~ at ~ " + to_microseconds(" ~ microseconds ~ "))") }}
{%- endmacro %}
{% macro bigquery__add_microseconds(at, microseconds) -%}
    {{ return("timestamp_add(" ~ at ~ ", interval " ~ microseconds ~ " microsecond)") }}
{%- endmacro %}

{#- The reporting-timezone date of a UTC timestamp. -#}
{% macro local_date(at) -%}
    {{ return(adapter.dispatch('local_date')(at)) }}
{%- endmacro %}
{% macro default__local_date(at) -%}{{ return('cast(' ~ local_time(at) ~ ' as date)') }}{%- endmacro %}
{#- Without a timezone it would be the project's default, which an organisation may change. -#}
{% macro bigquery__local_date(at) -%}{{ return('date(' ~ at ~ ", '" ~ var('timezone') ~ "')") }}{%- endmacro %}

{#- The UTC instant at which a date of the reporting timezone begins. -#}
{% macro local_midnight(date) -%}{{ return(adapter.dispatch('local_midnight')(date)) }}{%- endmacro %}
{% macro default__local_midnight(date) -%}
    {%- set midnight = 'cast(' ~ date ~ ' as timestamp)' -%}
    {{ return(midnight if var('timezone') == 'UTC' else "timezone('UTC', timezone('" ~ var('timezone') ~ "', " ~ midnight ~ '))') }}
{%- endmacro %}
{% macro bigquery__local_midnight(date) -%}{{ return('timestamp(' ~ date ~ ", '" ~ var('timezone') ~ "')") }}{%- endmacro %}

{#- The UTC instant `days` after a date (YYYY-MM-DD) begins in UTC. For bounds with a day to spare, so that the timezone, at most 14 hours away,
    does not matter. -#}
{% macro start_of_date(date, days) -%}
    {{ return("timestamp '" ~ shifted(date, days) ~ " 00:00:00'") }}
{%- endmacro %}

{#- Whole milliseconds, seconds and hours elapsed. -#}
{% macro whole_milliseconds(earlier, later) -%}{{ return(whole_units(earlier, later, 1000)) }}{%- endmacro %}
{% macro whole_seconds(earlier, later) -%}{{ return(whole_units(earlier, later, 1000000)) }}{%- endmacro %}
{% macro whole_hours(earlier, later) -%}{{ return(whole_units(earlier, later, 3600000000)) }}{%- endmacro %}
{% macro whole_units(earlier, later, microseconds) -%}
    {{ return(adapter.dispatch('whole_units')(microseconds_between(earlier, later), microseconds)) }}
{%- endmacro %}
{% macro default__whole_units(elapsed, microseconds) -%}{{ return(elapsed ~ ' // ' ~ microseconds) }}{%- endmacro %}
{% macro bigquery__whole_units(elapsed, microseconds) -%}{{ return('div(' ~ elapsed ~ ', ' ~ microseconds ~ ')') }}{%- endmacro %}

{#- The hour of the day, 0 to 23, in the reporting timezone. -#}
{% macro local_hour(at) -%}{{ return(adapter.dispatch('local_hour')(at)) }}{%- endmacro %}
{% macro default__local_hour(at) -%}{{ return('hour(' ~ local_time(at) ~ ')') }}{%- endmacro %}
{% macro bigquery__local_hour(at) -%}{{ return("extract(hour from " ~ at ~ " at time zone '" ~ var('timezone') ~ "')") }}{%- endmacro %}

{#- The UTC instant at which the local hour began. -#}
{% macro local_hour_start(at) -%}{{ return(adapter.dispatch('local_hour_start')(at)) }}{%- endmacro %}
{% macro default__local_hour_start(at) -%}
    {%- set local = local_time(at) -%}
    {{ return('(' ~ at ~ ' - (' ~ local ~ " - date_trunc('hour', " ~ local ~ ')))') }}
{%- endmacro %}
{% macro bigquery__local_hour_start(at) -%}
    {{ return("timestamp_trunc(" ~ at ~ ", hour, '" ~ var('timezone') ~ "')") }}
{%- endmacro %}

{#- DuckDB: a UTC timestamp as local time of the reporting timezone. -#}
{% macro local_time(at) -%}
    {{ return(at if var('timezone') == 'UTC' else "timezone('" ~ var('timezone') ~ "', timezone('UTC', " ~ at ~ "))") }}
{%- endmacro %}

{#- Now, as a UTC timestamp. -#}
{% macro current_utc() -%}{{ return(adapter.dispatch('current_utc')()) }}{%- endmacro %}
{% macro default__current_utc() -%}{{ return("timezone('UTC', now())") }}{%- endmacro %}
{% macro bigquery__current_utc() -%}{{ return('current_timestamp()') }}{%- endmacro %}

{#- A date some days earlier or later; `days` is a whole number, may be negative. -#}
{% macro date_plus(date, days) -%}{{ return(adapter.dispatch('date_plus')(date, days)) }}{%- endmacro %}
{% macro default__date_plus(date, days) -%}{{ return('(' ~ date ~ ' + ' ~ days ~ ')') }}{%- endmacro %}
{% macro bigquery__date_plus(date, days) -%}{{ return('date_add(' ~ date ~ ', interval ' ~ days ~ ' day)') }}{%- endmacro %}

{#- The Monday of a date's week. -#}
{% macro monday_of(date) -%}{{ return(adapter.dispatch('monday_of')(date)) }}{%- endmacro %}
{% macro default__monday_of(date) -%}{{ return("cast(date_trunc('week', " ~ date ~ ") as date)") }}{%- endmacro %}
{% macro bigquery__monday_of(date) -%}
    {#- Sunday is 1. -#}
    {{ return('date_sub(' ~ date ~ ', interval mod(extract(dayofweek from ' ~ date ~ ') + 5, 7) day)') }}
{%- endmacro %}

{#- Days from a date to a later one. -#}
{% macro days_between(earlier, later) -%}{{ return(adapter.dispatch('days_between')(earlier, later)) }}{%- endmacro %}
{% macro default__days_between(earlier, later) -%}{{ return('(' ~ later ~ ' - ' ~ earlier ~ ')') }}{%- endmacro %}
{% macro bigquery__days_between(earlier, later) -%}{{ return('date_diff(' ~ later ~ ', ' ~ earlier ~ ', day)') }}{%- endmacro %}

{#- A subquery of dates, column date_day, half-open. -#}
{% macro all_dates(first, end) -%}{{ return(adapter.dispatch('all_dates')(first, end)) }}{%- endmacro %}
{% macro default__all_dates(first, end) -%}
    (select cast(unnest(range(date '{{ first }}', date '{{ end }}', interval 1 day)) as date) as date_day)
{%- endmacro %}
{% macro bigquery__all_dates(first, end) -%}
    (select date_day from unnest(generate_date_array(date '{{ first }}', date_sub(date '{{ end }}', interval 1 day))) as date_day)
{%- endmacro %}
