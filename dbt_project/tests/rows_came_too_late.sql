{{ config(severity='warn', where=none, enabled=target.type != 'duckdb', meta={'dagster': {'ref': {'name': 'events'}}}) }}

-- depends_on: {{ ref('events') }}
-- (Dagster knows a test by the model that it depends on.)

-- Rows that came in the window's days, and are where their day does not look for them: in no other table. They came too late (raise
-- max_lateness_days and run their days again), or the table is divided by a device's clock, and it was wrong. Landed files are looked for
-- without such a limit. Of an event table's rows, whose event may be there without its properties, event_table says which.
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
