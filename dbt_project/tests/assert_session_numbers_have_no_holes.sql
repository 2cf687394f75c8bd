{{ config(meta={'dagster': {'ref': {'name': 'core_sessions'}}}) }}

-- A visitor's sessions of the window are numbered one after the other, and each has the start of the next. The test reads the days around too: if a
-- clock change turns the local date back, a session between two sessions of one date may have the date before.
with sessions as (
    select
        *,
        lead(session_sequence_number) over (partition by dbt_visitor_id order by session_start_at) as next_number,
        lead(session_start_at) over (partition by dbt_visitor_id order by session_start_at) as next_start_at,
        lead(session_start_date) over (partition by dbt_visitor_id order by session_start_at) as next_start_date
    from {{ ref('core_sessions') }}
    where
        session_start_date >= {{ days_from('window_start', -1) }}
        and session_start_date < {{ days_from('window_end', 1) }}
)

select session_key, dbt_visitor_id, session_sequence_number, next_number, next_session_start_at, next_start_at
from sessions
where
    (({{ in_window('session_start_date') }}) or ({{ in_window('next_start_date') }}))
    and (
        next_number <> session_sequence_number + 1
        or (next_start_at is not null and next_start_at <> next_session_start_at)
        or next_session_start_at <= session_start_at
    )
