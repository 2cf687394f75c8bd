{{ config(materialized='rollup', key='date', parent_key='entry_date', date='date', tags=['sessions']) }}

with stages as (
    select * from {{ ref('funnel_stages') }}
    -- A stage is never reached before the way's first one.
    where {{ is_changed_key('entry_date') }} and {{ since_first_changed('reached_date') }}
),

dates as (
    select distinct entry_date from stages
),

-- Several events may be one stage.
funnel as (
    select distinct stage_number, stage_name from {{ ref('funnel_events') }}
),

counted as (
    select
        entry_date,
        stage_number,
        count(*) as entries,
        count(distinct dbt_visitor_id) as visitors
    from stages
    group by entry_date, stage_number
),

filled as (
    select
        dates.entry_date,
        funnel.stage_number,
        funnel.stage_name,
        coalesce(counted.entries, 0) as entries,
        coalesce(counted.visitors, 0) as visitors
    from dates
    cross join funnel
    left join counted on dates.entry_date = counted.entry_date and funnel.stage_number = counted.stage_number
),

conversions as (
    select
        *,
        lag(entries) over (partition by entry_date order by stage_number) as previous_entries,
        first_value(entries) over (partition by entry_date order by stage_number) as first_entries
    from filled
),

days as (
    select
        entry_date as date,
        cast(stage_number as {{ type_bigint() }}) as stage_number,
        stage_name,
        entries,
        visitors,
        cast(entries as {{ type_double() }}) / nullif(previous_entries, 0) as conversion_from_previous,
        cast(entries as {{ type_double() }}) / nullif(first_entries, 0) as conversion_from_first
    from conversions
)

select * from days
