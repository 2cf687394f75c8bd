{{ config(materialized='date_overwrite', date='event_date', keeps_undated=true, follows='events', tags=['events']) }}

with repeated as (
    {{ repeated_keys() }}
),

copies as (
    {{ numbered_copies('repeated') }}
),

rejected_rows as (
    {{ rejected_rows_of_window() }}
),

rejected as (
    select * from rejected_rows
    union all
    select event_id, source, event_type, 'duplicate_event_id' as reason, event_date, timestamp, received_at, source_file, raw
    from copies
    where copy_number > 1
    union all
    {{ unreadable_rows() }}
)

select * from rejected
