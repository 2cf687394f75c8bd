{{ config(enabled=is_chosen('rudderstack')) }}

with durations as (
    select
        session_duration,
        {{ session_number_of('session_id') }} = 1 as is_first_visit
    from {{ ref('dbt_session_duration') }}
),

visits as (
    select
        sum(case when is_first_visit then 1 else 0 end) as visitors,
        avg(case when is_first_visit then session_duration end) as avg_first_session_minutes,
        avg(case when not is_first_visit then session_duration end) as avg_later_session_minutes
    from durations
)

select * from visits
