{{ config(enabled=is_chosen('analytics'), meta={'dagster': {'ref': {'name': 'visitor_days'}}}, where=none) }}

-- A visitor is new on exactly one date, the first.
with visitors as (
    select
        dbt_visitor_id,
        sum(case when lifecycle = 'new' then 1 else 0 end) as new_dates,
        min(case when lifecycle = 'new' then date end) as new_date,
        min(date) as first_date
    from {{ ref('visitor_days') }}
    where {{ since_ever('date') }}
    group by dbt_visitor_id
)

select * from visitors
where new_dates <> 1 or new_date <> first_date
