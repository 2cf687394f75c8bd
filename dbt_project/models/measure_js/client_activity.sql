{{ config(materialized='frontier', entity='client_id', at='session_start_at', date='event_date', stored_by='entity') }}

-- users is summed up from this table, which has some eight times fewer rows than events.
with events as (
    select * from {{ from_frontier(ref('client_events'), entity='client_id') }} as client_events
),

activity as (
    select
        client_id,
        user_id,
        session_sequence_number as session_number,
        session_start_at,
        {{ seconds_between('session_start_at', 'session_end_at') }} as session_duration,
        count(*) as event_count,
        min(timestamp) as first_seen,
        max(timestamp) as last_seen,
        event_date
    from events
    group by client_id, user_id, session_sequence_number, session_start_at, session_end_at, event_date
)

select * from activity
