{{ config(materialized='rollup', key='client_id') }}

with activity as (
    select * from {{ ref('client_activity') }}
    where {{ is_changed_key('client_id') }}
),

-- A session over midnight has a row for each day, but counts once.
sessions as (
    select
        client_id,
        user_id,
        session_number,
        max(session_duration) as session_duration
    from activity
    group by client_id, user_id, session_number
),

durations as (
    select
        client_id,
        user_id,
        count(*) as total_sessions,
        {{ average_seconds('session_duration') }} as avg_session_duration
    from sessions
    group by client_id, user_id
),

totals as (
    select
        client_id,
        user_id,
        min(first_seen) as first_seen,
        max(last_seen) as last_seen,
        count(distinct event_date) as days_active,
        cast(sum(event_count) as {{ type_bigint() }}) as total_events
    from activity
    group by client_id, user_id
),

users as (
    select
        totals.client_id,
        totals.user_id,
        totals.first_seen,
        totals.last_seen,
        totals.days_active,
        totals.total_events,
        durations.total_sessions,
        durations.avg_session_duration
    from totals
    inner join durations
        on
            totals.client_id = durations.client_id
            and (totals.user_id = durations.user_id or (totals.user_id is null and durations.user_id is null))
)

select * from users
