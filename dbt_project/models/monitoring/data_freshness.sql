{{ config(materialized='view') }}

{#- Each table with the column that tells how far it has come, and its date. A view, so that hours_behind is true when it is read: reading it
    reads that column of every table, which is why no test does on BigQuery. -#}
{% set tables = [
    (ref('events'), 'timestamp', 'event_date'),
    (ref('dbt_mapped_tracks'), 'timestamp', 'event_date'),
    (ref('dbt_session_tracks'), 'session_start_at', 'session_start_date'),
    (ref('dbt_track_facts'), 'timestamp', 'event_date'),
    (ref('dbt_session_track_facts'), 'ended_at', 'session_start_date'),
    (ref('dbt_user_session_facts'), 'last_date', none),
    (ref('dbt_tracks_flow'), 'timestamp', 'event_date'),
    (ref('funnel_stages'), 'reached_at', 'reached_date'),
    (ref('dim__sessions'), 'end_time', 'start_date'),
    (ref('fact__users_journey'), 'time', 'date'),
    (ref('segment_sessions'), 'session_end_timestamp', local_date('session_start_timestamp')),
    (ref('segment_users'), 'first_seen_at', none),
    (ref('events_sessionated'), 'timestamp', 'event_date'),
    (ref('sessions'), 'session_end', 'session_start_date'),
    (ref('users'), 'last_seen', none),
    (ref('clients'), 'last_seen', none),
    (ref('event_blocks'), 'hour_block', 'date'),
    (ref('daily_performance'), 'date', 'date'),
] -%}

with latest as (
    {% for table, column, date in tables %}
        select '{{ plain_schema(table) }}.{{ table.identifier }}' as table_name, cast(max({{ column }}) as {{ dbt.type_timestamp() }}) as latest_record
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
