{{ config(severity='warn', where=none) }}

-- The same id on two dates is two events. Rare is a clock that crossed midnight; many are a sender that numbers anew each day, or
-- rows sent again. Looked for as far around the window as late rows reach.
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
