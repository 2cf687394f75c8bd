{{ config(enabled=is_chosen('measure_js'), meta={'dagster': {'ref': {'name': 'daily_performance'}}}) }}

-- Every event that makes sessions is in one session of its visitor and in one of its client.
with counted as (
    select event_date as date, 'session_events' as counted_in, count(*) as event_count
    from {{ ref('session_events') }}
    where {{ in_window('event_date') }}
    group by 1
    union all
    select event_date as date, 'client_events' as counted_in, count(*) as event_count
    from {{ ref('client_events') }}
    where {{ in_window('event_date') }}
    group by 1
    union all
    select date, 'daily_performance' as counted_in, total_events as event_count
    from {{ ref('daily_performance') }}
    where {{ in_window('date') }}
)

select date, count(*) as tables, min(event_count) as least, max(event_count) as most
from counted
group by 1
having count(*) <> 3 or min(event_count) <> max(event_count)
