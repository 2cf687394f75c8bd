{{ config(enabled=is_chosen('analytics'), meta={'dagster': {'ref': {'name': 'session_facts'}}}) }}

with core_sessions as (
    select * from {{ ref('core_sessions') }}
    where {{ in_window('session_start_date') }}
),

session_facts as (
    select * from {{ ref('session_facts') }}
    where {{ in_window('session_start_date') }}
)

select
    coalesce(core_sessions.dbt_visitor_id, session_facts.dbt_visitor_id) as dbt_visitor_id,
    coalesce(core_sessions.session_sequence_number, session_facts.session_sequence_number) as session_sequence_number
from core_sessions
full outer join session_facts
    on
        core_sessions.dbt_visitor_id = session_facts.dbt_visitor_id
        and core_sessions.session_sequence_number = session_facts.session_sequence_number
where
    core_sessions.dbt_visitor_id is null
    or session_facts.dbt_visitor_id is null
    or core_sessions.session_key <> session_facts.session_key
    or core_sessions.session_start_at <> session_facts.session_start_at
    or core_sessions.session_end_at <> session_facts.session_end_at
    or core_sessions.event_count <> session_facts.event_count
    or core_sessions.split_cause <> session_facts.split_cause
