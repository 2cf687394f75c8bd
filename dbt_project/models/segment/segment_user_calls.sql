{{ config(
    materialized='frontier', requests='describes_user', sessions=false,
    entity='dbt_visitor_id', entity_kind='visitor', at='timestamp', date='event_date', stored_by='entity'
) }}

{%- set columns = {'anonymous_id': 'events.anonymous_id', 'user_id': 'events.user_id', 'event_type': 'events.event_type'} %}
{%- for trait in user_traits() %}
    {%- do columns.update({
        trait: "case when events.event_type = 'identify' then " ~ without_null_words(json_text('events.properties', trait)) ~ ' end',
    }) %}
{%- endfor %}

with events as (
    {{ events_of_visitors(describes_user('events.event_type'), columns) }}
),

calls as (
    select
        event_id,
        dbt_visitor_id,
        timestamp,
        event_sequence,
        {% for column in columns %}
            {{ adapter.quote(column) }},
        {% endfor %}
        event_date
    from events
)

select * from calls
