{{ config(materialized='view', date='partition_date', tags=['sessions']) }}

-- depends_on: {{ ref('session_events') }}

-- The root stores its requests beside its table, in the same transaction.
select partition_date, entity as dbt_visitor_id, reprocess_from, reason
from {{ requests_relation('session_events') }}
