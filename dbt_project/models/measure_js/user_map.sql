{{ config(materialized='rollup', key='client_id', key_type='string') }}

with pairs as (
    select
        client_id,
        user_id,
        min(first_seen) as first_seen,
        max(last_seen) as last_seen
    from {{ ref('client_activity') }}
    where user_id is not null and {{ is_touched('client_id') }}
    group by client_id, user_id
)

select * from pairs
