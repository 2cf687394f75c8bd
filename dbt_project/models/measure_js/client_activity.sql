{{ config(materialized='frontier', entity='client_id', at='session_start', date='event_date', stored_by='entity') }}

-- What users, user_map and clients are summed up from: some eight times fewer rows than events.
with events as (
    select *, min(timestamp) over (partition by client_id, session_number) as session_start
    from {{ from_frontier(ref('events_sessionated'), entity='client_id') }} as sessionated
),

activity as (
    select
        client_id,
        user_id,
        session_number,
        session_start,
        max(session_duration) as session_duration,
        count(*) as event_count,
        min(timestamp) as first_seen,
        max(timestamp) as last_seen,
        event_date
    from events
    group by client_id, user_id, session_number, session_start, event_date
)

select * from activity
