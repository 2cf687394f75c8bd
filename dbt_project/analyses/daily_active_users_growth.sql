{{ config(enabled=is_chosen('measure_js')) }}

with days as (
    select date, daily_active_users from {{ ref('daily_performance') }}
),

compared as (
    select
        date,
        daily_active_users,
        lag(daily_active_users) over (order by date) as previous_day_users
    from days
),

growth as (
    select
        date,
        daily_active_users,
        previous_day_users,
        100 * cast(daily_active_users - previous_day_users as {{ type_double() }}) / nullif(previous_day_users, 0) as growth_pct
    from compared
)

select * from growth
order by date
