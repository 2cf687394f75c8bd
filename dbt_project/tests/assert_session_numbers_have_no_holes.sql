{{ config(meta={'dagster': {'ref': {'name': 'dbt_session_tracks'}}}) }}

-- A visitor's sessions of the window are numbered one after the other, and each names the start of the next.
with sessions as (
    select
        *,
        lead(session_sequence_number) over (partition by dbt_visitor_id order by session_start_at) as next_number,
        lead(session_start_at) over (partition by dbt_visitor_id order by session_start_at) as next_start_at
    from {{ ref('dbt_session_tracks') }}
    where {{ in_window('session_start_date') }}
)

select session_id, session_sequence_number, next_number, next_session_start_at, next_start_at
from sessions
where
    next_number <> session_sequence_number + 1
    or (next_start_at is not null and next_start_at <> next_session_start_at)
    or next_session_start_at <= session_start_at
