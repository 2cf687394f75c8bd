{{ config(severity='warn') }}

-- Days on which a source sent far more or far fewer events than on the same weekday before: by more than a factor, and by more than days of that
-- weekday usually differ. The norm and the spread are medians over up to 8 weeks, so that one odd week does not shift them. A day without any
-- event counts as 0.
with days as (
    select date_day as event_date from {{ all_dates(window_start(), window_end()) }} as dates
),

volumes as (
    select source, event_date, count(*) as event_count
    from {{ ref('events') }}
    where
        event_date >= {{ days_from('window_start', -56) }}
        and event_date < {{ days_from('window_end', 0) }}
        and source in ('{{ var('sources') | join("', '") }}')
    group by source, event_date
),

same_weekdays as (
    select volumes.source, days.event_date, volumes.event_count
    from days
    inner join volumes
        on volumes.event_date in ({% for week in range(1, 9) %}{{ date_plus('days.event_date', -7 * week) }}{{ ', ' if not loop.last }}{% endfor %})
),

norms as (
    select source, event_date, {{ median('event_count') }} as norm, count(*) as week_count
    from same_weekdays
    group by source, event_date
    having count(*) >= 4
),

spreads as (
    select
        norms.source,
        norms.event_date,
        norms.norm,
        norms.week_count,
        {{ median('abs(same_weekdays.event_count - norms.norm)') }} as spread
    from same_weekdays
    inner join norms on same_weekdays.source = norms.source and same_weekdays.event_date = norms.event_date
    group by norms.source, norms.event_date, norms.norm, norms.week_count
),

judged as (
    select spreads.*, coalesce(volumes.event_count, 0) as event_count
    from spreads
    left join volumes on spreads.source = volumes.source and spreads.event_date = volumes.event_date
)

select event_date, source, event_count, norm, spread, week_count
from judged
where
    norm >= {{ var('volume_min_norm') }}
    and (event_count > norm * {{ var('volume_factor') }} or event_count < norm / {{ var('volume_factor') }})
    -- If days vary normally, 1.4826 median absolute deviations are one standard deviation.
    and abs(event_count - norm) > {{ var('volume_deviations') }} * 1.4826 * spread
order by event_date, source
