{{ config(materialized='view', date='event_date') }}

select
    event_id,
    anonymous_id,
    dbt_visitor_id,
    timestamp,
    event_sequence,
    event,
    idle_time_minutes,
    event_date
from {{ ref('session_events') }}
