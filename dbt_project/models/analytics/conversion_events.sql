{{ config(
    materialized='frontier', entity='dbt_visitor_id', at='conversion_at', date='conversion_date'
) }}

-- depends_on: {{ ref('events') }}

{%- set properties = conversion_properties() %}

with converting as (
    select
        session_events.event_id,
        session_events.event_date,
        session_events.dbt_visitor_id,
        session_events.session_key,
        session_events.session_start_at,
        session_events.timestamp,
        conversions.conversion_name,
        conversions.value_property
    from {{ from_frontier(ref('session_events')) }} as session_events
    inner join {{ ref('conversions') }} as conversions on session_events.event = conversions.event
),

{% if properties -%}
events as (
    select event_id, event_date, properties
    from {{ ref('events') }}
    where event_date >= {{ frontier_date() }}
),
{%- endif %}

valued as (
    select
        converting.*,
        {% if properties %}
            case converting.value_property
                {% for property in properties %}
                    when {{ text_literal(property) }} then {{ as_amount(json_text('events.properties', property)) }}
                {% endfor %}
            end as amount
        {% else %}
            cast(null as {{ type_amount() }}) as amount
        {% endif %}
    from converting
    {% if properties %}
        inner join events on converting.event_id = events.event_id and converting.event_date = events.event_date
    {% endif %}
),

conversion_events as (
    select
        event_id as conversion_event_id,
        conversion_name,
        dbt_visitor_id,
        session_key,
        coalesce(amount, cast(0 as {{ type_amount() }})) as conversion_amount,
        timestamp as conversion_at,
        session_start_at,
        event_date as conversion_date
    from valued
)

select * from conversion_events
