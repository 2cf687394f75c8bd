{{ config(enabled=is_chosen('analytics'), meta={'dagster': {'ref': {'name': 'attribution'}}}) }}

-- Attribution counts by the conversion's date, sessions by the conversion's session.
with conversions as (
    select * from {{ ref('conversion_events') }}
    where conversion_date >= date '{{ window_start() }}'
),

attributed as (
    select conversion_date, count(*) as conversion_count
    from {{ ref('attribution') }}
    where touch_number = 1 and {{ in_window('conversion_date') }}
    group by conversion_date
),

of_dates as (
    select conversion_date, count(*) as conversion_count
    from conversions
    where {{ in_window('conversion_date') }}
    group by conversion_date
),

of_sessions as (
    select session_key, dbt_visitor_id, count(*) as conversion_count
    from conversions
    group by session_key, dbt_visitor_id
),

sessions as (
    select session_key, dbt_visitor_id, conversion_count
    from {{ ref('session_facts') }}
    where {{ in_window('session_start_date') }}
)

select cast(coalesce(attributed.conversion_date, of_dates.conversion_date) as {{ dbt.type_string() }}) as place
from attributed
full outer join of_dates on attributed.conversion_date = of_dates.conversion_date
where
    attributed.conversion_date is null
    or of_dates.conversion_date is null
    or attributed.conversion_count <> of_dates.conversion_count
union all
select sessions.session_key as place
from sessions
left join of_sessions
    on sessions.session_key = of_sessions.session_key and sessions.dbt_visitor_id = of_sessions.dbt_visitor_id
where sessions.conversion_count <> coalesce(of_sessions.conversion_count, 0)
