with results as (
    select * from {{ ref('dbt_run_results') }}
),

ranked as (
    select *, row_number() over (partition by model_name order by run_completed_at desc) as recency
    from results
    where status <> 'skipped'
),

models as (
    select
        model_name,
        count(*) as runs,
        sum(case when status = 'error' then 1 else 0 end) as failures,
        avg(duration_seconds) as avg_duration_seconds,
        max(duration_seconds) as max_duration_seconds,
        max(case when recency = 1 then duration_seconds end) as last_duration_seconds,
        max(run_completed_at) as last_run_at,
        sum(rows_affected) as rows_affected
    from ranked
    group by model_name
)

select * from models
order by avg_duration_seconds desc, model_name asc
