{{ config(enabled=is_chosen('segment'), meta={'dagster': {'ref': {'name': 'segment_sessions'}}}) }}

-- segment_sessions and core.sessions have the same sessions: starts, ends and how many events.
with dbt_sessions as (
    select {{ session_id() }} as session_id, session_start_at as started_at, session_end_at as ended_at, event_count
    from {{ ref('core_sessions') }}
    where {{ in_window('session_start_date') }}
),

segment_sessions as (
    select
        session_id,
        session_start_timestamp as started_at,
        session_end_timestamp as ended_at,
        {{ array_size('records') }} as event_count
    from {{ ref('segment_sessions') }}
    where {{ near_window('session_start_timestamp') }} and {{ in_window(local_date('session_start_timestamp')) }}
),

both_kinds as (
    select session_id, started_at, ended_at, event_count, 1 as is_dbt from dbt_sessions
    union all
    select session_id, started_at, ended_at, event_count, 0 as is_dbt from segment_sessions
)

select session_id, started_at, ended_at, event_count, sum(is_dbt) as dbt_sessions, count(*) - sum(is_dbt) as segment_sessions
from both_kinds
group by session_id, started_at, ended_at, event_count
having sum(is_dbt) <> 1 or count(*) <> 2
