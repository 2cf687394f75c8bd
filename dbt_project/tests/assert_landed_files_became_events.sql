{{ config(
    where=none, enabled=target.type == 'duckdb' or var('loader', 'vendor') != 'vendor', error_if='!= 0 and min(event_rows) = 0',
    meta={'dagster': {'ref': {'name': 'rejected_events'}}}
) }}

-- Landed files whose rows were all rejected, however few they are. The test reads files with rejected rows of the window's days or of no day, and counts
-- their rows of other days too.
--
-- Such a file is a warning. It is an error if the run has lost everything: its days have no event. Files without a row of these days say so only if the
-- days around have no events either.
with rejected as (
    select source, source_file, event_date, reason
    from {{ ref('rejected_events') }}
    where event_date is null or event_date >= date '0001-01-01'
),

asked as (
    select distinct source_file from rejected
    where event_date is null or ({{ in_window('event_date') }})
),

counted as (
    select
        source,
        source_file,
        count(*) as rejected_rows,
        sum(case when {{ in_window('event_date') }} then 1 else 0 end) as rows_of_run,
        coalesce(min(case when reason <> 'duplicate_event_id' then reason end), 'duplicate_event_id') as first_reason,
        count(distinct reason) as reasons
    from rejected
    where source_file in (select source_file from asked)
    group by source, source_file
),

landed as (
    {{ landed_row_counts() }}
),

events as (
    {{ events_of_run() }}
)

select
    counted.source,
    counted.source_file,
    counted.rejected_rows,
    counted.first_reason,
    counted.reasons,
    case when counted.rows_of_run > 0 then events.of_run else events.around_run end as event_rows
from counted
inner join landed on counted.source = landed.source and counted.source_file = landed.source_file
cross join events
where counted.rejected_rows >= landed.row_count
order by counted.source, counted.source_file
