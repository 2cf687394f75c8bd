{{ config(meta={'dagster': {'ref': {'name': 'session_events'}}}) }}

-- The window's events that make sessions and the window's session_events are the same events, once each.
with events as (
    select event_date, event_id from {{ ref('events') }}
    where {{ in_window('event_date') }} and {{ makes_sessions() }}
),

in_sessions as (
    select event_date, event_id from {{ ref('session_events') }}
    where {{ in_window('event_date') }}
),

counted as (
    select event_date, event_id, 1 as is_event, 0 as is_in_session from events
    union all
    select event_date, event_id, 0 as is_event, 1 as is_in_session from in_sessions
)

select event_date, event_id, sum(is_event) as events, sum(is_in_session) as session_events
from counted
where {{ may_differ('events', 'in_sessions') }}
group by event_date, event_id
having sum(is_event) <> 1 or sum(is_in_session) <> 1
