{{ config(enabled=is_chosen('analytics'), meta={'dagster': {'ref': {'name': 'channels_daily'}}}) }}

with base as (
    select
        session_start_date as date,
        count(*) as sessions,
        cast(sum(event_count) as {{ type_bigint() }}) as events,
        cast(sum(conversion_count) as {{ type_bigint() }}) as conversions,
        sum(case when is_engaged then 1 else 0 end) as engaged_sessions,
        sum(case when is_new_visitor then 1 else 0 end) as new_visitors
    from {{ ref('session_facts') }}
    where {{ in_window('session_start_date') }}
    group by 1
),

days as (
    select
        date,
        sum(sessions) as sessions,
        sum(events) as events,
        sum(conversions) as conversions,
        sum(engaged_sessions) as engaged_sessions,
        sum(new_visitors) as new_visitors
    from {{ ref('channels_daily') }}
    where {{ in_window('date') }}
    group by 1
)

select coalesce(base.date, days.date) as date, base.sessions, days.sessions as channel_sessions
from base
full outer join days on base.date = days.date
where
    base.date is null
    or days.date is null
    or base.sessions <> days.sessions
    or base.events <> days.events
    or base.conversions <> days.conversions
    or base.engaged_sessions <> days.engaged_sessions
    or base.new_visitors <> days.new_visitors
