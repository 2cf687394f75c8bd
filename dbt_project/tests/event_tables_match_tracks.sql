{{ config(
    severity='warn', where=none, enabled=target.type != 'duckdb' and var('raw_event_tables', {}) | length > 0,
    meta={'dagster': {'ref': {'name': 'events'}}}
) }}

-- Rows of event tables without a track call, and events without a row in their event table. The first are not events, the others lack their
-- properties. Both occur if a loader has not written one of the tables yet. In that case run the days again.
with event_rows as (
    {{ event_table_rows_of_window() }}
),

-- A rejected call accounts for its row. Only calls that became events need a row.
calls as (
    select source, event_id, event_date, event
    from {{ ref('events') }}
    where {{ in_window('event_date') }} and event_type = 'track'
    union all
    select source, event_id, event_date, cast(null as {{ dbt.type_string() }}) as event
    from {{ ref('rejected_events') }}
    where {{ in_window('event_date') }} and event_type = 'track' and event_id is not null
),

calls_by_id as (
    select source, event_id, event_date, max(event) as event
    from calls
    group by source, event_id, event_date
),

compared as (
    select
        coalesce(event_rows.source, calls_by_id.source) as source,
        coalesce(event_rows.event_table, calls_by_id.event) as event_table,
        coalesce(event_rows.event_date, calls_by_id.event_date) as event_date,
        calls_by_id.event_id is null as is_without_track,
        event_rows.event_table is null and {{ has_event_table('calls_by_id') }} as is_without_row
    from event_rows
    full join calls_by_id
        on
            event_rows.source = calls_by_id.source
            and event_rows.event_id = calls_by_id.event_id
            and event_rows.event_date = calls_by_id.event_date
)

select
    source,
    event_table,
    event_date,
    sum(case when is_without_track then 1 else 0 end) as rows_without_track,
    sum(case when is_without_row then 1 else 0 end) as tracks_without_row
from compared
where is_without_track or is_without_row
group by source, event_table, event_date
order by event_date, source, event_table
