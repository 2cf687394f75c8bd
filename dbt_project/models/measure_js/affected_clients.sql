{{ config(materialized='date_overwrite', date='partition_date') }}

-- Devices have no identity that moves: only events, those of the window now and those that stood there before.
with events_now as (
    select {{ client_id() }} as client_id, event_date as partition_date, min(timestamp) as reprocess_from
    from {{ ref('events') }}
    where {{ in_window('event_date') }} and {{ makes_sessions() }}
    group by 1, 2
),

events_before as (
    select client_id, event_date as partition_date, min(timestamp) as reprocess_from
    from {{ rows_before_this_run('client_events', entity='client_id') }} as client_events
    where {{ in_window('event_date') }}
    group by 1, 2
),

affected as (
    select partition_date, client_id, reprocess_from, 'events' as reason from events_now
    union all
    select partition_date, client_id, reprocess_from, 'previous_events' as reason from events_before
)

select * from affected
