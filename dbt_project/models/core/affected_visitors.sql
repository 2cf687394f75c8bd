{{ config(materialized='date_overwrite', date='partition_date', tags=['sessions']) }}

{{ affected_by(makes_sessions(), 'session_events') }}
