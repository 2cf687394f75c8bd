{{ config(meta={'dagster': {'ref': {'name': 'events_sessionated'}}}) }}

-- Every event that makes sessions stands once in each family, whoever its sessions belong to.
with counted as (
    select event_date as date, 'dbt_track_facts' as family, count(*) as event_count
    from {{ ref('dbt_track_facts') }}
    where {{ in_window('event_date') }}
    group by 1
    union all
    select date, 'fact__users_journey' as family, count(*) as event_count
    from {{ ref('fact__users_journey') }}
    where {{ in_window('date') }}
    group by 1
    union all
    select event_date as date, 'events_sessionated' as family, count(*) as event_count
    from {{ ref('events_sessionated') }}
    where {{ in_window('event_date') }}
    group by 1
    union all
    select date, 'event_blocks' as family, sum(event_count) as event_count
    from {{ ref('event_blocks') }}
    where {{ in_window('date') }}
    group by 1
    union all
    select date, 'daily_performance' as family, total_events as event_count
    from {{ ref('daily_performance') }}
    where {{ in_window('date') }}
)

select date, count(*) as families, min(event_count) as least, max(event_count) as most
from counted
group by 1
having count(*) <> 5 or min(event_count) <> max(event_count)
