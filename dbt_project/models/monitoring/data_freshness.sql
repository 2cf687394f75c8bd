{{ config(materialized='view') }}

{#- Each table, an expression for its newest time, and its date. A view, so that hours_behind is right when it is read. Reading it reads that
    column of every table, so no test reads it on BigQuery. Logs of runs, which do not follow the data, are left out. -#}
-- core.user_agents has no times. A source's tests are asset checks only if a model reads it, and without the family analytics no other model does.
-- depends_on: {{ source('core', 'user_agents') }}
{% set tables = [
    (ref('events'), 'max(timestamp)', 'event_date'),
    (ref('rejected_events'), 'max(coalesce(received_at, timestamp))', 'event_date'),
    (ref('identity_edges'), 'max(last_event_at)', 'event_date'),
    (source('core', 'identity_graph'), 'max(last_seen_at)', none),
    (ref('session_events'), 'max(timestamp)', 'event_date'),
    (ref('core_sessions'), 'max(session_end_at)', 'session_start_date'),
    (ref('funnel_stages'), 'max(reached_at)', 'reached_date'),
    (ref('funnel_daily'), local_midnight('max(date)'), 'date'),
] -%}
{% if is_chosen('rudderstack') -%}
    {% set tables = tables + [
        (ref('dbt_mapped_tracks'), 'max(timestamp)', 'event_date'),
        (ref('dbt_session_tracks'), 'max(session_start_at)', 'session_start_date'),
        (ref('dbt_track_facts'), 'max(timestamp)', 'event_date'),
        (ref('dbt_session_track_facts'), 'max(ended_at)', 'session_start_date'),
        (ref('dbt_session_duration'), local_midnight('max(session_start_date)'), 'session_start_date'),
        (ref('dbt_user_session_facts'), 'max(last_date)', none),
        (ref('dbt_tracks_flow'), 'max(timestamp)', 'event_date'),
    ] -%}
{% endif -%}
{% if is_chosen('mixpanel') -%}
    {% set tables = tables + [
        (ref('dim__sessions'), 'max(end_time)', 'start_date'),
        (ref('fact__users_journey'), 'max(time)', 'date'),
    ] -%}
{% endif -%}
{% if is_chosen('segment') -%}
    {% set tables = tables + [
        (ref('segment_sessions'), 'max(session_end_timestamp)', local_date('session_start_timestamp')),
        (ref('segment_users'), 'max(first_seen_at)', none),
    ] -%}
{% endif -%}
{% if is_chosen('measure_js') -%}
    {% set tables = tables + [
        (ref('events_sessionated'), 'max(timestamp)', 'event_date'),
        (ref('sessions'), 'max(session_end)', 'session_start_date'),
        (ref('user_map'), 'max(last_seen)', none),
        (ref('users'), 'max(last_seen)', none),
        (ref('clients'), 'max(last_seen)', none),
        (ref('event_blocks'), 'max(hour_block)', 'date'),
        (ref('daily_performance'), local_midnight('max(date)'), 'date'),
    ] -%}
{% endif -%}
{% if is_chosen('analytics') -%}
    {% set tables = tables + [
        (ref('analytics_sessions'), 'max(session_end_at)', 'session_start_date'),
        (ref('attribution'), 'max(conversion_at)', 'conversion_date'),
        (ref('visitor_days'), local_midnight('max(date)'), 'date'),
        (ref('visitors'), 'max(last_seen_at)', none),
        (ref('channels_daily'), local_midnight('max(date)'), 'date'),
    ] -%}
{% endif %}

with latest as (
    {% for table, latest_record, date in tables %}
        select
            '{{ plain_schema(table) }}.{{ table.identifier }}' as table_name,
            cast({{ latest_record }} as {{ dbt.type_timestamp() }}) as latest_record
        from {{ table }}
        where {{ since_ever(date) }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

freshness as (
    select
        table_name,
        latest_record,
        {{ whole_hours('latest_record', current_utc()) }} as hours_behind
    from latest
)

select * from freshness
