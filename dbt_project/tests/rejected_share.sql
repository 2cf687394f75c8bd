{{ config(severity='warn', where=none, meta={'dagster': {'ref': {'name': 'rejected_events'}}}) }}

-- Days of which an unusual share of rows is rejected: one row per day and reason. Rows without a date belong to every run and are compared with all
-- events of its days. A run without any event has lost all of its rows, however few they are. Rows without a date count for such a run only if the
-- days around have no events either.
with rejected as (
    select event_date, reason, count(*) as reason_rows
    from {{ ref('rejected_events') }}
    where event_date is null or ({{ in_window('event_date') }})
    group by event_date, reason
),

events as (
    select event_date, count(*) as event_rows
    from {{ ref('events') }}
    where {{ in_window('event_date') }}
    group by event_date
),

counts as (
    {{ events_of_run() }}
),

shares as (
    select
        rejected.event_date,
        rejected.reason,
        rejected.reason_rows,
        sum(rejected.reason_rows) over (partition by rejected.event_date) as rejected_rows,
        case when rejected.event_date is null then counts.of_run else coalesce(events.event_rows, 0) end as event_rows,
        counts.of_run as event_rows_of_run,
        rejected.event_date is not null or counts.of_run > 0 or counts.around_run = 0 as is_of_run
    from rejected
    left join events on rejected.event_date = events.event_date
    cross join counts
)

select
    event_date,
    reason,
    reason_rows,
    rejected_rows,
    event_rows,
    cast(rejected_rows as {{ type_double() }}) / (rejected_rows + event_rows) as rejected_share
from shares
where
    is_of_run
    and (
        event_rows_of_run = 0
        or (rejected_rows >= {{ var('min_rejected_rows') }} and rejected_rows > {{ var('max_rejected_share') }} * (rejected_rows + event_rows))
    )
order by rejected_share desc, event_date asc, reason_rows desc
