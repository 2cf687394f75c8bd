{{ config(meta={'dagster': {'ref': {'name': 'dbt_track_facts'}}}) }}

-- The window's events that make sessions and the window's track facts are the same events, once each.
with events as (
    select event_date, event_id from {{ ref('events') }}
    where {{ in_window('event_date') }} and {{ makes_sessions() }}
),

facts as (
    select event_date, event_id from {{ ref('dbt_track_facts') }}
    where {{ in_window('event_date') }}
),

counted as (
    select event_date, event_id, 1 as is_event, 0 as is_fact from events
    union all
    select event_date, event_id, 0 as is_event, 1 as is_fact from facts
)

select event_date, event_id, sum(is_event) as events, sum(is_fact) as facts
from counted
where {{ may_differ('events', 'facts') }}
group by event_date, event_id
having sum(is_event) <> 1 or sum(is_fact) <> 1
