{{ config(materialized='date_overwrite', date='event_date', follows='events', cluster_by=['anonymous_id', 'user_id'], tags=['events']) }}

with events as (
    select * from {{ ref('events') }}
    where {{ in_window('event_date') }}
),

-- An alias call with a device and a user joins ids, and is also a sighting of the device and the user.

identifier_pairs as (
    select
        event_date,
        'identifiers' as edge_type,
        anonymous_id,
        user_id,
        cast(null as {{ dbt.type_string() }}) as previous_id,
        cast(null as {{ dbt.type_string() }}) as event_id,
        min(timestamp) as first_event_at,
        {{ first_event_id() }} as first_event_id,
        max(timestamp) as last_event_at,
        {{ last_event_id() }} as last_event_id,
        count(*) as event_count
    from events
    where event_type <> 'alias' or (anonymous_id is not null and user_id is not null)
    group by event_date, anonymous_id, user_id
),

alias_calls as (
    select
        event_date,
        'alias_call' as edge_type,
        anonymous_id,
        user_id,
        previous_id,
        event_id,
        timestamp as first_event_at,
        event_id as first_event_id,
        timestamp as last_event_at,
        event_id as last_event_id,
        1 as event_count
    from events
    where event_type = 'alias'
),

edges as (
    select * from identifier_pairs
    union all
    select * from alias_calls
)

select * from edges
