{{ config(meta={'dagster': {'ref': {'name': 'funnel_daily'}}}) }}

-- The entries of a date reach stage 1, then 2, and so on, each after the one before, and funnel_daily counts exactly these.
with stages as (
    select
        *,
        lag(stage_number) over (partition by dbt_visitor_id, entry_number order by reached_at, stage_number) as previous_stage
    from {{ ref('funnel_stages') }}
    where {{ in_window('entry_date') }} and reached_date >= {{ days_from('window_start', -1) }}
),

counted as (
    select entry_date as date, stage_number, count(*) as entries
    from stages
    group by 1, 2
),

days as (
    select date, stage_number, entries from {{ ref('funnel_daily') }}
    where {{ in_window('date') }} and entries > 0
)

select entry_date as date, stage_number, 'follows another than the one before' as problem
from stages
where stage_number <> coalesce(previous_stage, 0) + 1
union all
select coalesce(counted.date, days.date) as date, coalesce(counted.stage_number, days.stage_number) as stage_number, 'is counted otherwise' as problem
from counted
full outer join days on counted.date = days.date and counted.stage_number = days.stage_number
where counted.date is null or days.date is null or counted.entries <> days.entries
