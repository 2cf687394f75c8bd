{{ config(severity='warn', where=none) }}

-- The same id on two dates is two events. A few come from a clock that crossed midnight. Many come from a sender that numbers anew each day, or from
-- rows sent again. The test looks max_lateness_days around the window.
with recent as (
    select event_id, event_date from {{ ref('events') }}
    where
        event_date >= {{ days_from('window_start', -var('max_lateness_days')) }}
        and event_date < {{ days_from('window_end', var('max_lateness_days')) }}
)

select event_id, count(*) as dates, min(event_date) as first_date, max(event_date) as last_date
from recent
where {{ may_be_on_two_dates('recent') }}
group by event_id
having count(*) > 1 and sum(case when {{ in_window('event_date') }} then 1 else 0 end) > 0
