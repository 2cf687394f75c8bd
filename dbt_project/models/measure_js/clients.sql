{{ config(materialized='rollup', key='client_id', key_type='string') }}

with clients as (
    select
        client_id,
        min(first_seen) as first_seen,
        max(last_seen) as last_seen,
        count(distinct event_date) as days_active,
        cast(sum(event_count) as {{ type_bigint() }}) as total_events,
        count(distinct session_number) as total_sessions
    from {{ ref('client_activity') }}
    where {{ is_touched('client_id') }}
    group by client_id
    having count(user_id) = 0
)

select * from clients
