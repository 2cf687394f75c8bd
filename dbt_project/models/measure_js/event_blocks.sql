{{ config(materialized='view', date='date') }}

select
    client_days.date,
    block.hour,
    block.hour_block,
    block.event_count
from {{ ref('client_days') }} as client_days
cross join {{ unnested('client_days.hours', 'block') }}
