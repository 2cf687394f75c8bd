{{ config(materialized='view') }}

-- depends_on: {{ ref('session_events') }}

-- The root stores one row per visitor beside its table, in the same transaction.
select
    entity as dbt_visitor_id,
    first_session_at as first_date,
    last_session_at as last_date,
    session_count as number_of_sessions
from {{ state_relation('session_events') }}
