{{ config(materialized='view', date='event_date', tags=['events']) }}

-- depends_on: {{ ref('events') }}

-- core.events sets these rows aside in the transaction of its own rows.
select event_id, source, event_type, reason, event_date, timestamp, received_at, source_file, raw
from {{ set_aside_relation('events') }}
where reason is not null
union all
{{ unreadable_rows() }}
