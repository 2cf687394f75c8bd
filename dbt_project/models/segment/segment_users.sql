{{ config(
    materialized='rollup', key='user_id', parent_key='dbt_visitor_id'
) }}

{%- set traits = user_traits() %}

-- depends_on: {{ ref('session_events') }}

with calls as (
    select * from {{ ref('segment_user_calls') }}
    where {{ is_changed_key('dbt_visitor_id') }}
),

callers as (
    select
        dbt_visitor_id as user_id,
        {% for trait in traits %}
            {{ last_value_in_order('calls.' ~ adapter.quote(trait), 'calls') }} as {{ adapter.quote(trait) }},
        {% endfor %}
        min(case when event_type = 'identify' then timestamp end) as first_identify_at,
        min(timestamp) as first_call_at
    from calls
    group by dbt_visitor_id
),

-- Events that make sessions are already summed up in the state of their root.
streamed as (
    select entity as user_id, first_session_at as first_event_at
    from {{ state_relation('session_events') }}
    where {{ is_changed_key('entity') }}
),

users as (
    select
        coalesce(callers.user_id, streamed.user_id) as user_id,
        {% for trait in traits %}
            callers.{{ adapter.quote(trait) }},
        {% endfor %}
        coalesce(
            callers.first_identify_at,
            case when callers.first_call_at < streamed.first_event_at then callers.first_call_at end,
            streamed.first_event_at,
            callers.first_call_at
        ) as first_seen_at
    from callers
    full outer join streamed on callers.user_id = streamed.user_id
)

select user_id, first_seen_at{% for trait in traits %}, {{ adapter.quote(trait) }}{% endfor %}

from users
