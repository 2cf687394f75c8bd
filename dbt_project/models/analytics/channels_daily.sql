{{ config(
    materialized='rollup', key='date', parent_key='session_start_date', date='date',
    cluster_by=['channel_group', 'touch_source']
) }}

with sessions as (
    select * from {{ ref('session_facts') }}
    where {{ is_changed_key('session_start_date') }}
),

days as (
    select
        session_start_date as date,
        channel_group,
        touch_source,
        touch_medium,
        traffic_type,
        count(*) as sessions,
        count(distinct dbt_visitor_id) as visitors,
        cast(sum(case when is_new_visitor then 1 else 0 end) as {{ type_bigint() }}) as new_visitors,
        cast(sum(case when is_engaged then 1 else 0 end) as {{ type_bigint() }}) as engaged_sessions,
        cast(sum(event_count) as {{ type_bigint() }}) as events,
        cast(sum(conversion_count) as {{ type_bigint() }}) as conversions,
        cast(sum(conversion_amount) as {{ type_double() }}) as conversion_value
    from sessions
    group by session_start_date, channel_group, touch_source, touch_medium, traffic_type
)

select * from days
