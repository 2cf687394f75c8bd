{{ config(
    materialized='rollup', key='dbt_visitor_id'
) }}

{%- set touch = ['source', 'medium', 'campaign', 'channel_group'] %}

with sessions as (
    select
        *,
        {% for column in touch %}
            {{ last_non_direct(column) }} as last_non_direct_{{ column }},
        {% endfor %}
        max(session_sequence_number) over (partition by dbt_visitor_id) as last_session_number
    from {{ ref('session_facts') }}
    where {{ is_changed_key('dbt_visitor_id') }} and {{ since_ever('session_start_date') }}
),

days as (
    select dbt_visitor_id, count(*) as active_days
    from {{ ref('visitor_days') }}
    where {{ is_changed_key('dbt_visitor_id') }} and {{ since_ever('date') }}
    group by dbt_visitor_id
),

summed as (
    select
        dbt_visitor_id,
        min(session_start_at) as first_seen_at,
        max(session_end_at) as last_seen_at,
        count(*) as session_count,
        cast(sum(case when is_engaged then 1 else 0 end) as {{ type_bigint() }}) as engaged_session_count,
        cast(sum(event_count) as {{ type_bigint() }}) as event_count,
        cast(sum(conversion_count) as {{ type_bigint() }}) as conversion_count,
        sum(conversion_amount) as conversion_amount,
        {% for column in touch %}
            max(case when session_sequence_number = 1 then {{ 'channel_group' if column == 'channel_group' else 'touch_' ~ column }} end) as first_touch_{{ column }},
        {% endfor %}
        max(case when session_sequence_number = 1 then landing_path end) as first_landing_path,
        {% for column in touch %}
            max(case when session_sequence_number = last_session_number then last_non_direct_{{ column }} end) as last_non_direct_{{ column }},
        {% endfor %}
        {{ joined_arrays('anonymous_ids') }} as anonymous_ids,
        {{ joined_arrays('user_ids') }} as user_ids,
        {% for column in ['country', 'device_type', 'os', 'browser'] %}
            {{ first_value_in_order(column, '-1 * session_sequence_number') }} as {{ column }},
        {% endfor %}
        max(case when session_sequence_number = last_session_number then traffic_type end) as traffic_type
    from sessions
    group by dbt_visitor_id
),

visitors as (
    select
        summed.dbt_visitor_id,
        summed.first_seen_at,
        summed.last_seen_at,
        summed.session_count,
        summed.engaged_session_count,
        summed.event_count,
        days.active_days,
        summed.conversion_count,
        cast(summed.conversion_amount as {{ type_double() }}) as conversion_value,
        {% for column in touch %}
            summed.first_touch_{{ column }},
        {% endfor %}
        summed.first_landing_path,
        {% for column in touch %}
            summed.last_non_direct_{{ column }},
        {% endfor %}
        {{ distinct_count('summed.anonymous_ids') }} as device_count,
        {{ distinct_count('summed.user_ids') }} as user_id_count,
        summed.country,
        summed.device_type,
        summed.os,
        summed.browser,
        summed.traffic_type
    from summed
    inner join days on summed.dbt_visitor_id = days.dbt_visitor_id
)

select * from visitors
