{#-
The window: reporting-timezone dates, half-open [partition_start, partition_end). A run's window is its partitions. A model by day may also write
other days (day_plan). Its window is then all of these days, and may have gaps.
-#}

{% macro window_start() -%}
    {{ return(day_plan().days | min if writes_days() else _window_var('partition_start')) }}
{%- endmacro %}
{% macro window_end() -%}
    {{ return(shifted(day_plan().days | max, 1) if writes_days() else _window_var('partition_end')) }}
{%- endmacro %}

{#- Whether the current model is a model by day and this command writes it. -#}
{% macro writes_days() -%}
    {{ return(execute and model and model.config.materialized == 'date_overwrite' and flags.WHICH in ('run', 'build')) }}
{%- endmacro %}

{% macro _window_var(name) -%}
    {%- set value = var(name, none) -%}
    {%- if value is none and execute and flags.WHICH in ('run', 'build', 'test') -%}
        {% do exceptions.raise_compiler_error(
            "No window of partitions: run through Dagster, or pass --vars '{partition_start: 2024-01-04, partition_end: 2024-01-05}' (half-open)."
        ) %}
    {%- endif -%}
    {{ return(value or '1970-01-01') }}
{%- endmacro %}

{#- The run's partitions as ISO dates. -#}
{% macro days_of_run() -%}
    {%- set start, end = _window_var('partition_start'), _window_var('partition_end') -%}
    {%- set days = [] -%}
    {%- for day in range([days_apart(start, end), 1] | max) -%}{%- do days.append(shifted(start, day)) -%}{%- endfor -%}
    {{ return(days) }}
{%- endmacro %}

{#- Whether a date lies in the window. -#}
{% macro in_window(date) -%}
    {%- if writes_days() -%}{{ in_days(date, day_plan().days) }}
    {%- else -%}{{ date }} >= date '{{ window_start() }}' and {{ date }} < date '{{ window_end() }}'
    {%- endif -%}
{%- endmacro %}

{#- Whether a UTC timestamp lies in the window or within a day of it. It compares a raw column with literals, so that storage can skip the rest. in_window
    then decides. A bound at midnight itself would have to agree with local_date about midnights that a clock change repeats or leaves out. -#}
{% macro near_window(at) -%}
    {%- set ranges = ranges_of_days(day_plan().days) if writes_days() else [[window_start(), shifted(window_end(), -1)]] -%}
    (
        {%- for first, last in ranges -%}
        {{ ' or ' if not loop.first }}({{ at }} >= {{ start_of_date(first, -1) }} and {{ at }} < {{ start_of_date(last, 2) }})
        {%- endfor -%}
    )
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

{% macro days_apart(start, end) -%}
    {{ return((modules.datetime.date.fromisoformat(end) - modules.datetime.date.fromisoformat(start)).days) }}
{%- endmacro %}

{#- ISO dates as [first, last] of each unbroken series. -#}
{% macro ranges_of_days(days) -%}
    {%- set ranges = [] -%}
    {%- for day in days | sort -%}
        {%- set first = ranges.pop()[0] if ranges and shifted(ranges[-1][1], 1) == day else day -%}
        {%- do ranges.append([first, day]) -%}
    {%- endfor -%}
    {{ return(ranges) }}
{%- endmacro %}
