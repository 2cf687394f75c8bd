{{ config(materialized='frontier', rewrite_from='everything', entity='dbt_visitor_id') }}

-- depends_on: {{ ref('dbt_mapped_tracks') }}

-- The sessions of a visitor are summed up where the stream is written, so that one more day does not read the days before.
with visitors as (
    select * from {{ state_relation('dbt_mapped_tracks') }}
    {% if is_frontier_run() %}
    where entity in (select entity from {{ frontier_relation(model.name) }})
    {% endif %}
),

facts as (
    select
        entity as dbt_visitor_id,
        first_session_at as first_date,
        last_session_at as last_date,
        session_count as number_of_sessions
    from visitors
)

select * from facts
