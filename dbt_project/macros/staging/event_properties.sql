{#- The properties that a loader keeps apart from the events: macros/warehouse/event_tables.sql. -#}

{#- Events, a CTE's name, with the properties that an event table has for them: of several rows for an event the earliest, by the order of
    numbered_copies. A row's event is that of the same id and date, as an id on two dates is two events; a row with a time that cannot be
    true has none, as its call was rejected. -#}
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

{#- The rows of the event tables that the window answers for, those dated by their arrival and those without a date included. -#}
{% macro event_table_rows_of_window() -%}
    select source, event_table, event_id, event_date
    from ({{ event_table_rows() }}) as event_rows
    where
        (({{ near_window('timestamp') }}) or ({{ near_window(arrived_at()) }}) or (timestamp is null and {{ arrived_at() }} is null))
        and (({{ in_window('event_date') }}) or event_date is null)
        and {{ loaded_in_time() }}
{%- endmacro %}

{#- Condition on events: one of the event tables is called as they are. -#}
{% macro has_event_table(events) -%}
    (
        {% for table in event_tables() -%}
        ({{ events }}.source = {{ text_literal(table.source) }} and {{ events }}.event = {{ text_literal(table.name) }})
        {{ 'or' if not loop.last }}
        {% else %}false
        {% endfor -%}
    )
{%- endmacro %}
