{{ config(meta={'dagster': {'ref': {'name': 'events'}}}) }}

{#- This test finds the raw rows of a date only by their own dates, not by the conditions by which the models select rows. -#}
-- Every raw row of the window's days, or of no day, is an event or a rejected event.
with raw_rows as (
    select source, event_date, count(*) as row_count
    from ({{ raw_rows_dated_near_window() }}) as dated
    where ({{ in_window('event_date') }}) or event_date is null
    group by source, event_date
),

events as (
    select source, event_date, count(*) as row_count
    from {{ ref('events') }}
    where {{ in_window('event_date') }}
    group by source, event_date
),

-- Unreadable rows never became raw rows.
rejected as (
    select source, event_date, count(*) as row_count
    from {{ ref('rejected_events') }}
    where (event_date is null or ({{ in_window('event_date') }})) and reason <> 'unreadable'
    group by source, event_date
),

sides as (
    select source, event_date, row_count as raw_rows, 0 as event_rows, 0 as rejected_rows from raw_rows
    union all
    select source, event_date, 0 as raw_rows, row_count as event_rows, 0 as rejected_rows from events
    union all
    select source, event_date, 0 as raw_rows, 0 as event_rows, row_count as rejected_rows from rejected
),

counted as (
    select source, event_date, sum(raw_rows) as raw_rows, sum(event_rows) as event_rows, sum(rejected_rows) as rejected_rows
    from sides
    group by source, event_date
)

select source, event_date, raw_rows, event_rows, rejected_rows, raw_rows - event_rows - rejected_rows as lost_rows
from counted
where raw_rows <> event_rows + rejected_rows
order by event_date, source
