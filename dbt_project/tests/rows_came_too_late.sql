{{ config(severity='warn', where=none, enabled=target.type != 'duckdb', meta={'dagster': {'ref': {'name': 'events'}}}) }}

-- depends_on: {{ ref('events') }}
-- (Dagster knows a test by the model that it depends on.)

-- Rows that a loader delivered in the window's days, too late for the day they belong to: they are in no other table. Raise
-- max_lateness_days and run their days again. Landed files are looked for without such a limit.
select source, event_date, count(*) as late_rows
from ({{ staged_events() }}) as staged
where
    raw_loaded_at >= {{ start_of_date(window_start(), 0) }}
    and raw_loaded_at < {{ start_of_date(window_end(), 0) }}
    and {{ came_too_late() }}
group by source, event_date
order by event_date, source
