{{ config(where=none, enabled=target.type == 'duckdb' or var('loader', 'vendor') != 'vendor', meta={'dagster': {'ref': {'name': 'rejected_events'}}}) }}

-- Landed files whose rows were all rejected, however few they are. Copies of events are not lost: a file of nothing but copies is none of these. The
-- test reads files with rejected rows of the window's days or of no day, and counts their rows of other days too.
with rejected as (
    select source, source_file, event_date, case when reason <> 'duplicate_event_id' then reason end as reason
    from {{ ref('rejected_events') }}
    where event_date is null or event_date >= date '0001-01-01'
),

asked as (
    select distinct source_file from rejected
    where reason is not null and (event_date is null or ({{ in_window('event_date') }}))
),

counted as (
    select source, source_file, count(*) as rejected_rows, min(reason) as first_reason, count(distinct reason) as reasons
    from rejected
    where source_file in (select source_file from asked)
    group by source, source_file
),

landed as (
    {{ landed_row_counts() }}
)

select counted.source, counted.source_file, counted.rejected_rows, counted.first_reason, counted.reasons
from counted
inner join landed on counted.source = landed.source and counted.source_file = landed.source_file
where counted.first_reason is not null and counted.rejected_rows >= landed.row_count
order by counted.source, counted.source_file
