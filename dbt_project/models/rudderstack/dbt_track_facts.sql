{{ config(materialized='view', date='event_date') }}

select
    anonymous_id,
    timestamp,
    event_id,
    event,
    {{ session_id() }} as session_id,
    session_key,
    dbt_visitor_id,
    track_sequence_number,
    event_date
from {{ ref('session_events') }}
