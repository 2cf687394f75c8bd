{{ config(enabled=is_chosen('rudderstack')) }}

with durations as (
    select * from {{ ref('dbt_session_duration') }}
),

visitors as (
    select
        dbt_visitor_id,
        count(*) as sessions,
        avg(session_duration) as avg_session_minutes
    from durations
    group by dbt_visitor_id
)

select * from visitors
order by avg_session_minutes desc, dbt_visitor_id asc
limit 20
