{{ config(enabled=is_chosen('measure_js'), meta={'dagster': {'ref': {'name': 'daily_performance'}}}) }}

with base as (
    select
        event_date as date,
        count(distinct client_id) as clients,
        count(distinct user_id) as users,
        count(distinct concat(client_id, ' ', cast(session_sequence_number as {{ dbt.type_string() }}))) as sessions,
        count(*) as events,
        sum(case when event_type = 'page' then 1 else 0 end) as pageviews
    from {{ ref('client_events') }}
    where {{ in_window('event_date') }}
    group by 1
),

days as (
    select * from {{ ref('daily_performance') }}
    where {{ in_window('date') }}
)

select coalesce(base.date, days.date) as date, base.events, days.total_events, base.sessions, days.total_sessions
from base
full outer join days on base.date = days.date
where
    base.date is null
    or days.date is null
    or base.clients <> days.daily_active_users
    or base.users <> days.daily_active_registered_users
    or base.sessions <> days.total_sessions
    or base.events <> days.total_events
    or base.pageviews <> days.pageviews
