{{ config(enabled=is_chosen('rudderstack')) }}

with durations as (
    select * from {{ ref('dbt_session_duration') }}
),

user_days as (
    select
        dbt_visitor_id,
        session_start_date,
        count(*) as sessions,
        sum(session_duration) as total_minutes,
        avg(session_duration) as avg_session_minutes
    from durations
    group by dbt_visitor_id, session_start_date
)

select * from user_days
order by session_start_date, dbt_visitor_id
