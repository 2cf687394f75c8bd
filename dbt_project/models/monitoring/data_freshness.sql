{{ config(materialized='view') }}

{#- Each table with the column that tells how far it has come. A view, so that hours_behind is true when it is read. -#}
{% set tables = [
    (ref('events'), 'timestamp'),
    (ref('dbt_mapped_tracks'), 'timestamp'),
    (ref('dbt_session_tracks'), 'session_start_at'),
    (ref('dbt_track_facts'), 'timestamp'),
    (ref('dbt_session_track_facts'), 'ended_at'),
    (ref('dbt_user_session_facts'), 'last_date'),
    (ref('dbt_tracks_flow'), 'timestamp'),
    (ref('funnel_stages'), 'reached_at'),
    (ref('dim__sessions'), 'end_time'),
    (ref('fact__users_journey'), 'time'),
    (ref('segment_sessions'), 'session_end_timestamp'),
    (ref('segment_users'), 'first_seen_at'),
    (ref('events_sessionated'), 'timestamp'),
    (ref('sessions'), 'session_end'),
    (ref('users'), 'last_seen'),
    (ref('clients'), 'last_seen'),
    (ref('event_blocks'), 'hour_block'),
    (ref('daily_performance'), 'date'),
] -%}

with latest as (
    {% for table, column in tables %}
        select '{{ table.schema }}.{{ table.identifier }}' as table_name, cast(max({{ column }}) as {{ dbt.type_timestamp() }}) as latest_record
        from {{ table }}
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
