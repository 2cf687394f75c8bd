{{ config(materialized='view', date='date') }}

select
    date,
    daily_active_users,
    daily_active_registered_users,
    total_sessions,
    total_events,
    pageviews,
    avg_session_duration
from {{ ref('client_days') }}
