{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'rejected_events'}}}) }}

-- More of a day's rows are rejected than is usual; one row per day and reason.
with rejected as (
    select event_date, reason, count(*) as reason_rows
    from {{ ref('rejected_events') }}
    where {{ in_window('event_date') }}
    group by event_date, reason
),

events as (
    select event_date, count(*) as event_rows
    from {{ ref('events') }}
    where {{ in_window('event_date') }}
    group by event_date
),

shares as (
    select
        rejected.event_date,
        rejected.reason,
        rejected.reason_rows,
        sum(rejected.reason_rows) over (partition by rejected.event_date) as rejected_rows,
        coalesce(events.event_rows, 0) as event_rows
    from rejected
    left join events on rejected.event_date = events.event_date
)

select
    event_date,
    reason,
    reason_rows,
    rejected_rows,
    event_rows,
    cast(rejected_rows as {{ type_double() }}) / (rejected_rows + event_rows) as rejected_share
from shares
where rejected_rows >= {{ var('min_rejected_rows') }} and rejected_rows > {{ var('max_rejected_share') }} * (rejected_rows + event_rows)
order by rejected_share desc, event_date asc, reason_rows desc
