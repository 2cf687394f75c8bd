{#- The run's window of partitions: reporting-timezone dates, half-open [partition_start, partition_end). -#}

{% macro window_start() -%}{{ return(_window_var('partition_start')) }}{%- endmacro %}
{% macro window_end() -%}{{ return(_window_var('partition_end')) }}{%- endmacro %}

{% macro _window_var(name) -%}
    {%- set value = var(name, none) -%}
    {%- if value is none and execute and flags.WHICH in ('run', 'build', 'test') -%}
        {% do exceptions.raise_compiler_error(
            "No window of partitions: run through Dagster, or pass --vars '{partition_start: 2024-01-04, partition_end: 2024-01-05}' (half-open)."
        ) %}
    {%- endif -%}
    {{ return(value or '1970-01-01') }}
{%- endmacro %}

{#- A date column lies in the window. -#}
{% macro in_window(date) -%}
    {{ date }} >= date '{{ window_start() }}' and {{ date }} < date '{{ window_end() }}'
{%- endmacro %}

{#- A UTC timestamp lies in the window or within a day of it. Comparable with raw columns, so that storage can skip the rest; in_window
    decides. A bound at midnight itself would have to agree with local_date about midnights that a clock change repeats or leaves out. -#}
{% macro near_window(at) -%}
    {{ at }} >= {{ start_of_date(window_start(), -1) }} and {{ at }} < {{ start_of_date(window_end(), 1) }}
{%- endmacro %}

{#- A date literal some days from the window's start or end. -#}
{% macro days_from(bound, days) -%}
    {%- set date = window_start() if bound == 'window_start' else window_end() -%}
    {{ return("date '" ~ shifted(date, days) ~ "'") }}
{%- endmacro %}

{#- YYYY-MM-DD some days later. -#}
{% macro shifted(date, days) -%}
    {{ return((modules.datetime.date.fromisoformat(date) + modules.datetime.timedelta(days=days)) | string) }}
{%- endmacro %}

{#- How many dates the window has; 0 where it is not known. -#}
{% macro window_days() -%}
    {{ return((modules.datetime.date.fromisoformat(window_end()) - modules.datetime.date.fromisoformat(window_start())).days) }}
{%- endmacro %}

{#- The window's dates, one row each. -#}
{% macro window_dates() -%}
    {%- for day in range([window_days(), 1] | max) -%}
    select date '{{ shifted(window_start(), day) }}' as event_date{{ ' union all ' if not loop.last }}
    {% endfor -%}
{%- endmacro %}
