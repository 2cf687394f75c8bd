{{ config(materialized='view', schema='support', date='ticket_date', tags=['sessions'], meta={'layer': 'sessions', 'grain': 'ticket'}) }}

select
    event_id as ticket_id,
    dbt_visitor_id,
    session_id,
    track_sequence_number - 1 as events_before,
    timestamp as opened_at,
    event_date as ticket_date
from {{ ref('dbt_track_facts') }}
where event = 'ticket_opened'
