{{ config(
    materialized='frontier', rewrite_from='session_number',
    entity=visitor_of('session_id'), at=session_number_of('session_id'), date='session_start_date', cluster_by='session_id'
) }}

{%- set counters = counted_events() %}

with tracks as (
    select * from {{ from_frontier(ref('dbt_track_facts')) }} as track_facts
),

sessions as (
    select
        session_id,
        max(timestamp) as ended_at,
        count(*) as num_pvs,
        {% for column, event in counters.items() %}
            cast(sum(case when event = '{{ event | replace("'", "''") }}' then 1 else 0 end) as {{ type_bigint() }}) as {{ column }},
        {% endfor %}
        {{ local_date('min(timestamp)') }} as session_start_date
    from tracks
    group by session_id
)

select * from sessions
