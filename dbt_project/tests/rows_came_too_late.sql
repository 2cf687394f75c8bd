{{ config(severity='warn', where=none, enabled=target.type != 'duckdb', meta={'dagster': {'ref': {'name': 'events'}}}) }}

-- depends_on: {{ ref('events') }}
-- (Dagster knows a test by the model that it depends on.)

-- Rows that came in the window's days, in partitions that the run of their own day does not read. They are in no other table. They came too late
-- (raise max_lateness_days and run their days again), or the table is divided by a device's clock, which was wrong. Landed files have no such limit.
-- event_table names the event table of a row; such an event may exist without its properties.
with arrived as (
    {% for source in var('sources') -%}
    select source, cast(null as {{ dbt.type_string() }}) as event_table, event_date, raw_loaded_at from {{ ref('stg_' ~ source ~ '__events') }}
    where {{ came_in_window(source) }}
    {% if event_tables() | selectattr('source', 'equalto', source) | list -%}
    union all
    select source, event_table, event_date, raw_loaded_at from ({{ event_table_rows(source) }}) as event_rows
    where {{ came_in_window(source) }}
    {% endif -%}
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select source, event_table, event_date, count(*) as late_rows
from arrived
where raw_loaded_at is not null and {{ is_out_of_reach() }}
group by source, event_table, event_date
order by event_date, source, event_table
