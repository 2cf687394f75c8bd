{{ config(materialized='view', date='date') }}

with blocks as (
    select date, block
    from {{ ref('client_days') }}
    cross join {{ unnested('hours', 'block') }}
)

select date, block.hour, block.hour_block, block.event_count from blocks
