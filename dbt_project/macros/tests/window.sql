{#- Tests read only the run's window: other rows were tested by the run that wrote them. The project gives every test the condition "__window__".
    Here it becomes a condition on the model's date column (config.date), or is dropped if the model has no date column. -#}
{% macro default__get_where_subquery(relation) -%}
    {%- set where = config.get('where', '') -%}
    {%- if where == '__window__' -%}{%- set where = window_of(relation) -%}{%- endif -%}
    {%- if where -%}
        {{ return('(select * from ' ~ relation ~ ' where ' ~ where ~ ') as tested') }}
    {%- endif -%}
    {{ return(relation) }}
{%- endmacro %}

{#- The condition that a model's rows lie in the window; empty if the model has no date. -#}
{% macro window_of(relation) -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.alias == relation.identifier and node.schema == relation.schema -%}
        {%- if node.config.get('date') -%}{{ return(in_window_of(node)) }}{%- endif -%}
    {%- endfor -%}
    {{ return('') }}
{%- endmacro %}

{#- The date may be an expression. Then the column that storage is divided by is bounded too. -#}
{% macro in_window_of(node) -%}
    {%- set column = partition_column(node.config) -%}
    {%- set near = near_window(column) ~ ' and ' if column and column != node.config.date else '' -%}
    {{ return(near ~ in_window(node.config.date)) }}
{%- endmacro %}

{#- The raw rows that can belong to the window, each once: by their own time, by the time of their arrival, or because they have neither. This is
    independent of the conditions by which the models select rows. -#}
{% macro raw_rows_dated_near_window() -%}{{ return(adapter.dispatch('raw_rows_dated_near_window')()) }}{%- endmacro %}
{#- Separate queries, because storage skips blocks by bounds on one column, but not by `or` over two columns. -#}
{% macro default__raw_rows_dated_near_window() -%}
    {%- set rows = 'select source, event_date, timestamp, received_at from (' ~ staged_events() ~ ') as staged where ' -%}
    {{ rows }} {{ near_window('timestamp') }}
    union all
    {{ rows }} {{ near_window(arrived_at()) }} and not coalesce({{ near_window('timestamp') }}, false)
    union all
    {{ rows }} timestamp is null and {{ arrived_at() }} is null
    {%- for arrived_outside in arrivals_outside_partitions() %}
    union all
    select source, cast(null as date) as event_date, timestamp, received_at from ({{ staged_events() }}) as staged
    where {{ is_dated_by_arrival() }} and {{ arrived_outside }}
    {%- endfor %}
{%- endmacro %}
{#- One query, because BigQuery bills a table each time that it is named. -#}
{% macro bigquery__raw_rows_dated_near_window() -%}
    select source, event_date, timestamp, received_at from ({{ staged_events() }}) as staged
    where
        (({{ near_window('timestamp') }}) or ({{ near_window(arrived_at()) }}) or (timestamp is null and {{ arrived_at() }} is null))
        and {{ loaded_in_time() }}
{%- endmacro %}

{#- How many events the run's days have (of_run), and they with max_lateness_days before and after them (around_run): one row. -#}
{% macro events_of_run() -%}
    select coalesce(sum(case when {{ in_window('event_date') }} then 1 else 0 end), 0) as of_run, count(*) as around_run
    from {{ ref('events') }}
    where
        event_date >= {{ days_from('window_start', -var('max_lateness_days')) }}
        and event_date < {{ days_from('window_end', var('max_lateness_days')) }}
{%- endmacro %}
