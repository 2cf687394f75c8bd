{{ config(materialized='view') }}

select client_id, first_seen, last_seen, days_active, total_events, total_sessions
from {{ ref('users') }}
qualify count(user_id) over (partition by client_id) = 0
