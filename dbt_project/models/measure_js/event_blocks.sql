{{ config(materialized='rollup', key='date', key_type='date', parent_key='event_date', date='date') }}

with blocks as (
    select
        event_date as date,
        cast({{ local_hour('timestamp') }} as {{ type_bigint() }}) as hour,
        {{ local_hour_start('timestamp') }} as hour_block,
        count(*) as event_count
    from {{ ref('client_events') }}
    where {{ is_changed_key('event_date') }}
    group by 1, 2, 3
)

select * from blocks
