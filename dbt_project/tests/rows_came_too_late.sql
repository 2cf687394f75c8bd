{{ config(severity='warn', where=none, enabled=target.type != 'duckdb', meta={'dagster': {'ref': {'name': 'events'}}}) }}

-- depends_on: {{ ref('events') }}
-- (Dagster knows a test by the model that it depends on.)

-- Rows that a loader delivered in the window's days, too late for the day they belong to: they are in no other table. Raise
-- max_lateness_days and run their days again. Landed files are looked for without such a limit. Of an event table's rows, whose event may be
-- there without its properties, event_table says which.
with arrived as (
    select source, cast(null as {{ dbt.type_string() }}) as event_table, event_date, raw_loaded_at from ({{ staged_events() }}) as staged
    {% if event_tables() -%}
    union all
    select source, event_table, event_date, raw_loaded_at from ({{ event_table_rows() }}) as event_rows
    {%- endif %}
)

select source, event_table, event_date, count(*) as late_rows
from arrived
where
    raw_loaded_at >= {{ start_of_date(window_start(), 0) }}
    and raw_loaded_at < {{ start_of_date(window_end(), 0) }}
    and {{ came_too_late() }}
group by source, event_table, event_date
order by event_date, source, event_table
