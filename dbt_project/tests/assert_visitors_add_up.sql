{{ config(enabled=is_chosen('analytics'), meta={'dagster': {'ref': {'name': 'visitors'}}}, where=none) }}

with of_sessions as (
    select
        dbt_visitor_id,
        count(*) as session_count,
        sum(event_count) as event_count,
        sum(conversion_count) as conversion_count,
        sum(case when is_engaged then 1 else 0 end) as engaged_session_count
    from {{ ref('session_facts') }}
    where {{ since_ever('session_start_date') }}
    group by dbt_visitor_id
),

of_days as (
    select dbt_visitor_id, sum(event_count) as event_count, sum(conversion_count) as conversion_count
    from {{ ref('visitor_days') }}
    where {{ since_ever('date') }}
    group by dbt_visitor_id
),

visitors as (
    select * from {{ ref('visitors') }}
)

select coalesce(of_sessions.dbt_visitor_id, visitors.dbt_visitor_id) as dbt_visitor_id
from of_sessions
full outer join visitors on of_sessions.dbt_visitor_id = visitors.dbt_visitor_id
left join of_days on visitors.dbt_visitor_id = of_days.dbt_visitor_id
where
    of_sessions.dbt_visitor_id is null
    or visitors.dbt_visitor_id is null
    or of_days.dbt_visitor_id is null
    or of_sessions.session_count <> visitors.session_count
    or of_sessions.engaged_session_count <> visitors.engaged_session_count
    or of_sessions.event_count <> visitors.event_count
    or of_days.event_count <> visitors.event_count
    or of_sessions.conversion_count <> visitors.conversion_count
    or of_days.conversion_count <> visitors.conversion_count
