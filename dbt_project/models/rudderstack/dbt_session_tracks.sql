{{ config(
    materialized='frontier', rewrite_from='previous_session',
    entity='dbt_visitor_id', at='session_start_at', date='session_start_date'
) }}

with session_starts as (
    select dbt_visitor_id, timestamp as session_start_at, sessions_before, previous_session_at
    from {{ from_frontier(ref('dbt_mapped_tracks')) }} as mapped
    where {{ is_session_start() }}
),

numbered as (
    select
        dbt_visitor_id,
        session_start_at,
        sessions_before + row_number() over (partition by dbt_visitor_id order by session_start_at) as session_sequence_number
    from session_starts
    {% if is_frontier_run() %}
    -- The session before the frontier is written again: it has a new next_session_start_at.
    union all
    select entity, previous_session_at, sessions_before
    from {{ frontier_relation(model.name) }}
    where previous_session_at is not null
    {% endif %}
),

sessions as (
    select
        {{ session_id() }} as session_id,
        dbt_visitor_id,
        session_start_at,
        session_sequence_number,
        lead(session_start_at) over (partition by dbt_visitor_id order by session_start_at) as next_session_start_at,
        {{ local_date('session_start_at') }} as session_start_date
    from numbered
)

select * from sessions
