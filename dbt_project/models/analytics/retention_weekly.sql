{{ config(materialized='view') }}

with days as (
    select
        dbt_visitor_id,
        {{ monday_of('date') }} as week,
        {{ monday_of('min(date) over (partition by dbt_visitor_id)') }} as cohort_week
    from {{ ref('visitor_days') }}
    where {{ since_ever('date') }}
),

weeks as (
    select distinct
        days.dbt_visitor_id,
        days.cohort_week,
        days.week,
        visitors.first_touch_channel_group as channel_group
    from days
    inner join {{ ref('visitors') }} as visitors on days.dbt_visitor_id = visitors.dbt_visitor_id
),

retention as (
    select
        cohort_week,
        channel_group,
        cast({{ days_between('cohort_week', 'week') }} / 7 as {{ type_bigint() }}) as week_number,
        count(*) as visitors
    from weeks
    group by 1, 2, 3
)

select
    cohort_week,
    channel_group,
    week_number,
    visitors,
    -- All visitors of a cohort are active in its first week.
    max(visitors) over (partition by cohort_week, channel_group) as cohort_size
from retention
