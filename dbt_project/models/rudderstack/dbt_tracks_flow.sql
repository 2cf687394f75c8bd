{{ config(materialized='frontier', entity='dbt_visitor_id', at='timestamp', date='event_date') }}

with tracks as (
    select * from {{ from_frontier(ref('dbt_track_facts')) }} as track_facts
),

flow as (
    select
        event_id,
        session_id,
        track_sequence_number,
        event,
        dbt_visitor_id,
        timestamp,
        {% for step in range(2, var('flow_length') + 1) %}
            lead(event, {{ step - 1 }}) over session_order as event_{{ step }},
        {% endfor %}
        event_date
    from tracks
    window session_order as (partition by session_id order by track_sequence_number)
)

select * from flow
