{{ config(
    materialized='frontier', requests='describes_user', sessions=false,
    entity='dbt_visitor_id', entity_kind='visitor', at='timestamp', date='event_date', stored_by='entity'
) }}

{%- set traits = user_traits() %}

with events as (
    {{ events_of_visitors(describes_user('events.event_type'), ['events.event_type', 'events.properties']) }}
),

calls as (
    select
        event_id,
        dbt_visitor_id,
        event_type,
        timestamp,
        event_sequence,
        {% for trait in traits %}
            case when event_type = 'identify' then {{ without_null_words(json_text('properties', trait)) }} end as {{ adapter.quote(trait) }},
        {% endfor %}
        event_date
    from events
)

select * from calls
