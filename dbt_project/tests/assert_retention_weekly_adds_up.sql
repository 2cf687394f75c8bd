{{ config(enabled=is_chosen('analytics'), meta={'dagster': {'ref': {'name': 'retention_weekly'}}}, where=none) }}

-- Impossible rows: a week of a cohort twice, a cohort without its first week, a missing value. Then the sum of all cohorts, if it is not the number of
-- visitors. One test, as each test of this view reads all visitors.
with retention as (
    select
        *,
        count(*) over (partition by cohort_week, channel_group, week_number) as copies,
        min(week_number) over (partition by cohort_week, channel_group) as first_week
    from {{ ref('retention_weekly') }}
),

in_cohorts as (
    select coalesce(sum(case when week_number = 0 then visitors end), 0) as visitors from retention
),

in_all as (
    select count(*) as visitors from {{ ref('visitors') }}
)

select cohort_week, channel_group, week_number, visitors, cohort_size
from retention
where
    copies > 1
    or cohort_week is null
    or channel_group is null
    or not coalesce(visitors >= 1 and visitors <= cohort_size and first_week = 0, false)
    or (week_number = 0 and visitors <> cohort_size)
union all
select null as cohort_week, null as channel_group, null as week_number, in_cohorts.visitors, in_all.visitors as cohort_size
from in_cohorts
cross join in_all
where in_cohorts.visitors <> in_all.visitors
