{{ config(materialized='view', date='partition_date', tags=['sessions']) }}

-- depends_on: {{ ref('session_events') }}

-- The root keeps what it was asked for beside its table, written in the same transaction.
select partition_date, entity as dbt_visitor_id, reprocess_from, reason
from {{ requests_relation('session_events') }}
