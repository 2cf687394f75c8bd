{#- Properties that a loader stores apart from the events: see macros/warehouse/event_tables.sql. -#}

{#- `events` (the name of a CTE) with the properties from event tables. If an event has several rows, the earliest by the order of numbered_copies
    counts. A row belongs to the event of the same id and date, because one id on two dates is two events. A row with an impossible time belongs to
    no event, because its call was rejected. -#}
{% macro with_event_properties(events) -%}
    {%- if not event_tables() -%}{{ return('select * from ' ~ events) }}{%- endif -%}
    select
        {% for column in event_columns() -%}
        {%- if column == 'properties' %}
        coalesce(found.properties, {{ events }}.properties) as properties{{ ',' if not loop.last }}
        {%- else %}
        {{ events }}.{{ column }}{{ ',' if not loop.last }}
        {%- endif -%}
        {% endfor %}
    from {{ events }}
    left join (
        select source, event_id, event_date, properties
        from (
            select
                *,
                row_number() over (
                    partition by source, event_id, event_date
                    order by timestamp, received_at nulls last, event_table, {{ row_as_text('properties') }}
                ) as copy_number
            from ({{ event_table_rows() }}) as event_rows
            where
                {{ near_window('timestamp') }} and {{ in_window('event_date') }} and {{ loaded_in_time() }}
                and not is_from_the_future
        ) as numbered
        where copy_number = 1
    ) as found
        on
            {{ events }}.event_type = 'track'
            and {{ events }}.source = found.source
            and {{ events }}.event_id = found.event_id
            and {{ events }}.event_date = found.event_date
{%- endmacro %}

{#- The window's rows of the event tables, including rows dated by their arrival and rows without a date. -#}
{% macro event_table_rows_of_window() -%}
    select source, event_table, event_id, event_date
    from ({{ event_table_rows() }}) as event_rows
    where
        (({{ near_window('timestamp') }}) or ({{ near_window(arrived_at()) }}) or (timestamp is null and {{ arrived_at() }} is null))
        and (({{ in_window('event_date') }}) or event_date is null)
        and {{ loaded_in_time() }}
{%- endmacro %}

{#- Whether there is an event table with the event's name. -#}
{% macro has_event_table(events) -%}
    (
        {% for table in event_tables() -%}
        ({{ events }}.source = {{ text_literal(table.source) }} and {{ events }}.event = {{ text_literal(table.name) }})
        {{ 'or' if not loop.last }}
        {% else %}false
        {% endfor -%}
    )
{%- endmacro %}
