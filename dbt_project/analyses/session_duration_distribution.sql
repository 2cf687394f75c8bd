{{ config(enabled=is_chosen('measure_js')) }}

with sessions as (
    select session_duration from {{ ref('sessions') }}
),

bucketed as (
    select
        case
            when session_duration < 60 then 1
            when session_duration < 300 then 2
            when session_duration < 900 then 3
            when session_duration < 3600 then 4
            else 5
        end as bucket_number
    from sessions
),

counted as (
    select bucket_number, count(*) as session_count
    from bucketed
    group by bucket_number
),

distribution as (
    select
        bucket_number,
        case bucket_number
            when 1 then '0-1 min'
            when 2 then '1-5 min'
            when 3 then '5-15 min'
            when 4 then '15-60 min'
            else '60+ min'
        end as duration_bucket,
        session_count,
        100 * cast(session_count as {{ type_double() }}) / sum(session_count) over () as percentage
    from counted
)

select * from distribution
order by bucket_number
