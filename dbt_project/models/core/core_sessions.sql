{{ config(
    alias='sessions', materialized='frontier', rewrite_from='previous_session',
    entity='dbt_visitor_id', at='session_start_at', date='session_start_date', tags=['sessions']
) }}

{%- set counters = counted_events() %}
{%- set columns = ['session_key', 'dbt_visitor_id', 'session_sequence_number', 'split_cause', 'event_count', 'session_start_at', 'session_end_at'] %}
{%- set columns = columns + counters.keys() | list + ['session_start_date'] %}

with events as (
    select * from {{ from_frontier(ref('session_events')) }} as session_events
),

begun as (
    select
        session_key,
        dbt_visitor_id,
        session_sequence_number,
        max(split_cause) as split_cause,
        count(*) as event_count,
        session_start_at,
        max(timestamp) as session_end_at,
        {% for column, event in counters.items() %}
            cast(sum(case when event = {{ text_literal(event) }} then 1 else 0 end) as {{ type_bigint() }}) as {{ column }},
        {% endfor %}
        {{ local_date('session_start_at') }} as session_start_date
    from events
    group by session_key, dbt_visitor_id, session_sequence_number, session_start_at
),

-- In the session before the frontier only the start of the next session can change.
rewritten as (
    select {{ columns | join(', ') }} from begun
    {% if is_frontier_run() %}
    union all
    {{ prior_sessions(columns) }}
    {% endif %}
),

sessions as (
    select
        *,
        lead(session_start_at) over (partition by dbt_visitor_id order by session_sequence_number) as next_session_start_at
    from rewritten
)

select * from sessions
