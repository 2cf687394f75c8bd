{{ config(enabled=is_chosen('analytics'), meta={'dagster': {'ref': {'name': 'attribution'}}}) }}

{%- set models = ['first_touch', 'last_touch', 'linear', 'position_based', 'time_decay'] %}

with sums as (
    select
        conversion_date,
        conversion_event_id,
        conversion_name,
        {% for model in models %}
            sum({{ model }}_weight) as {{ model }}_weight,
        {% endfor %}
        count(*) as touches,
        max(touch_count) as touch_count
    from {{ ref('attribution') }}
    where {{ in_window('conversion_date') }}
    group by conversion_date, conversion_event_id, conversion_name
)

select *
from sums
where
    touches <> touch_count
    {% for model in models %}
        or abs({{ model }}_weight - 1) > 1e-9
    {% endfor %}
