{{ config(severity='warn', where=none, meta={'dagster': {'ref': {'name': 'rejected_events'}}}) }}

-- Rows that were rejected as copies of a row in another table of their source. If the tables number their rows separately, these events are lost.
with rejected as (
    select event_id, source, event_type, event_date
    from {{ ref('rejected_events') }}
    where reason = 'duplicate_event_id' and source in ({{ sources_of_several_tables() }}) and {{ in_window('event_date') }}
),

events as (
    select event_id, source, event_type, event_date
    from {{ ref('events') }}
    where {{ in_window('event_date') }}
)

select rejected.event_id, rejected.event_date, rejected.source, events.event_type as kept_type, rejected.event_type as rejected_type
from rejected
inner join events
    on rejected.event_id = events.event_id and rejected.event_date = events.event_date and rejected.source = events.source
where rejected.event_type <> events.event_type
order by rejected.event_date, rejected.event_id
