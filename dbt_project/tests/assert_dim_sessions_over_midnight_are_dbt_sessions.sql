{{ config(enabled=is_chosen('mixpanel'), meta={'dagster': {'ref': {'name': 'dim__sessions'}}}) }}

-- Midnight divides a session into parts. They begin where it begins, end where it ends, and lie within it. Each has another date than the part before:
-- the day before's, if a clock change turns the local date back.
with sessions as (
    select session_key, dbt_visitor_id, session_start_at, session_end_at
    from {{ ref('core_sessions') }}
    where {{ in_window('session_start_date') }}
),

parts as (
    select user_id, session_id, start_time, end_time, start_date
    from {{ ref('dim__sessions') }}
    where start_date >= {{ days_from('window_start', -1) }}
),

parts_of_sessions as (
    select
        sessions.session_key,
        sessions.session_start_at,
        sessions.session_end_at,
        parts.start_time,
        parts.end_time,
        parts.session_id as part_id,
        parts.start_date,
        lag(parts.start_date) over (partition by sessions.session_key order by parts.session_id) as previous_date
    from sessions
    left join parts
        on
            sessions.dbt_visitor_id = parts.user_id
            and sessions.session_start_at <= parts.start_time
            and sessions.session_end_at >= parts.start_time
),

summed as (
    select
        session_key,
        session_start_at,
        session_end_at,
        min(start_time) as first_start,
        max(end_time) as last_end,
        sum(case when start_date = previous_date then 1 else 0 end) as needless_cuts,
        count(part_id) as part_count
    from parts_of_sessions
    group by session_key, session_start_at, session_end_at
)

select session_key, session_start_at, first_start, session_end_at, last_end, needless_cuts, part_count
from summed
where
    part_count = 0
    or first_start <> session_start_at
    or last_end <> session_end_at
    or needless_cuts > 0
