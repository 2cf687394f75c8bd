{{ config(enabled=is_chosen('analytics'), meta={'dagster': {'ref': {'name': 'retention_weekly'}}}, where=none) }}

-- Rows of retention_weekly that cannot be: twice the same week of a cohort, more visitors than the cohort has, or a value that is missing. One test, as
-- each test of this view reads all visitors.
with counted as (
    select *, count(*) over (partition by cohort_week, channel_group, week_number) as copies
    from {{ ref('retention_weekly') }}
)

select cohort_week, channel_group, week_number, visitors, cohort_size, copies
from counted
where
    copies > 1
    or cohort_week is null
    or channel_group is null
    or not coalesce(week_number >= 0 and visitors >= 1 and visitors <= cohort_size, false)
    or (week_number = 0 and visitors < cohort_size)
