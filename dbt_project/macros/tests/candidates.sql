{#- A cheap prefilter: it keeps every row whose columns may occur more than once. On DuckDB it groups hashes of the columns, which takes half the time
    of grouping texts and leaves few rows. On BigQuery it keeps all rows, because it would read the table once more. -#}
{% macro may_be_repeated(model, columns) -%}{{ return(adapter.dispatch('may_be_repeated')(model, columns)) }}{%- endmacro %}
{% macro default__may_be_repeated(model, columns) -%}
    {%- set key = 'hash(' ~ columns | join(', ') ~ ')' -%}
    {{ key }} in (select {{ key }} from {{ model }} group by 1 having count(*) > 1)
{%- endmacro %}
{% macro bigquery__may_be_repeated(model, columns) -%}true{%- endmacro %}

{#- A cheap prefilter: it keeps every row of a date on which two relations (names of CTEs with event_date and event_id) may have different ids. On DuckDB
    it compares, by date, the number of ids and the sum of their hashes. Ids must be unique in each relation, which other tests check. -#}
{% macro may_differ(one, other) -%}{{ return(adapter.dispatch('may_differ')(one, other)) }}{%- endmacro %}
{% macro default__may_differ(one, other) -%}
    event_date in (
        select event_date
        from (
            select event_date, count(*) as row_count, sum(hash(event_id)) as ids from {{ one }}
            group by event_date
            union all
            select event_date, count(*) as row_count, sum(hash(event_id)) as ids from {{ other }}
            group by event_date
        ) as dates
        group by event_date
        having count(*) <> 2 or min(row_count) <> max(row_count) or min(ids) <> max(ids)
    )
{%- endmacro %}
{% macro bigquery__may_differ(one, other) -%}true{%- endmacro %}

{#- A cheap prefilter: it keeps every row of a relation (the name of a CTE with event_date and event_id) whose id may occur on a date of the window and
    on another date. On DuckDB it looks for the window's ids, a quarter of the cost of grouping all ids, unless the window is most of the relation. On
    BigQuery it keeps all rows, because it would read the table once more. -#}
{% macro may_be_on_two_dates(relation) -%}{{ return(adapter.dispatch('may_be_on_two_dates')(relation)) }}{%- endmacro %}
{% macro default__may_be_on_two_dates(relation) -%}
    {%- if days_apart(window_start(), window_end()) > 2 * var('max_lateness_days') -%}{{ return(may_be_repeated(relation, ['event_id'])) }}{%- endif -%}
    event_id in (select of_window.event_id from {{ relation }} as of_window where {{ in_window('of_window.event_date') }})
{%- endmacro %}
{% macro bigquery__may_be_on_two_dates(relation) -%}true{%- endmacro %}
