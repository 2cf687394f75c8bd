{#- A condition that no row fails whose columns stand more than once. On DuckDB numbers made of the columns are grouped before texts are, which takes
    half the time, and leaves few to be looked at; on BigQuery it would read the table once more. -#}
{% macro may_be_repeated(model, columns) -%}{{ return(adapter.dispatch('may_be_repeated')(model, columns)) }}{%- endmacro %}
{% macro default__may_be_repeated(model, columns) -%}
    {%- set key = 'hash(' ~ columns | join(', ') ~ ')' -%}
    {{ key }} in (select {{ key }} from {{ model }} group by 1 having count(*) > 1)
{%- endmacro %}
{% macro bigquery__may_be_repeated(model, columns) -%}true{%- endmacro %}

{#- A condition that no row fails of a date on which two relations (names of CTEs with event_date and event_id) hold different ids. On DuckDB dates are
    compared by how many ids they have and by the sum of numbers made of these, and only where one differs are the ids themselves. An id that
    stands twice in both is not found: that it stands once in each is tested there. -#}
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

{#- A condition that no row of a relation (the name of a CTE with event_date and event_id) fails whose id stands on a date of the window and on
    another. On DuckDB to look for the window's ids costs a quarter of grouping all of them, unless the window is most of it; on BigQuery
    it would read the table once more. -#}
{% macro may_be_on_two_dates(relation) -%}{{ return(adapter.dispatch('may_be_on_two_dates')(relation)) }}{%- endmacro %}
{% macro default__may_be_on_two_dates(relation) -%}
    {%- if window_days() > 2 * var('max_lateness_days') -%}{{ return(may_be_repeated(relation, ['event_id'])) }}{%- endif -%}
    event_id in (select of_window.event_id from {{ relation }} as of_window where {{ in_window('of_window.event_date') }})
{%- endmacro %}
{% macro bigquery__may_be_on_two_dates(relation) -%}true{%- endmacro %}
