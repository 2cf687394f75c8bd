{{ config(
    materialized='frontier', entity='user_id', at='session_start_timestamp', date=local_date('session_start_timestamp'), stored_by='session_start_timestamp'
) }}

with tracks as (
    select * from {{ from_frontier(ref('session_events')) }} as session_events
),

events as (
    select *
    from {{ ref('events') }}
    where event_date >= {{ frontier_date() }}
),

calls as (
    select
        tracks.dbt_visitor_id,
        tracks.session_sequence_number,
        tracks.track_sequence_number,
        tracks.timestamp,
        tracks.event_id,
        {% for field in record_fields() %}
            {{ event_field(field) }} as field_{{ field }},
        {% endfor %}
        tracks.event,
        tracks.event_type
    from tracks
    inner join events on tracks.event_id = events.event_id and tracks.event_date = events.event_date
),

{%- set texts = ['event_id', 'event', 'event_type'] %}
{%- set of_call = ['timestamp'] + texts %}
{%- for field in record_fields() %}
    {%- do of_call.append('field_' ~ field) %}
    {%- do texts.append('field_' ~ field) if is_text_field(field) %}
{%- endfor %}

-- Each call is gathered once, with the fields of all kinds. In its session's array it becomes a track, page or screen.
grouped as (
    select
        dbt_visitor_id,
        session_sequence_number,
        min(timestamp) as session_start_timestamp,
        max(timestamp) as session_end_timestamp,
        {{ struct_of({
            'total_tracks': "cast(sum(case when event_type = 'track' then 1 else 0 end) as " ~ type_bigint() ~ ")",
            'total_pages': "cast(sum(case when event_type = 'page' then 1 else 0 end) as " ~ type_bigint() ~ ")",
            'total_screens': "cast(sum(case when event_type = 'screen' then 1 else 0 end) as " ~ type_bigint() ~ ")",
            'duration_millis': whole_milliseconds('min(timestamp)', 'max(timestamp)'),
        }) }} as stats,
        {{ structs_in_order('track_sequence_number', of_call, texts) }} as session_calls,
        min(case when event_type = 'page' then track_sequence_number end) as first_page_number,
        max(case when event_type = 'page' then track_sequence_number end) as last_page_number
    from calls
    group by dbt_visitor_id, session_sequence_number
),

with_pages as (
    select
        *,
        {{ element_at('session_calls', 'first_page_number') }} as first_page,
        {{ element_at('session_calls', 'last_page_number') }} as last_page
    from grouped
),

sessions as (
    select
        {{ session_id() }} as session_id,
        session_sequence_number as session_index,
        dbt_visitor_id as user_id,
        session_start_timestamp,
        session_end_timestamp,
        stats,
        {{ page_values('first_', 'first_page') }} as first_page_values,
        {{ page_values('last_', 'last_page') }} as last_page_values,
        {{ mapped('session_calls', struct_of({
            'timestamp': 'element.timestamp',
            'track': "case when element.event_type = 'track' then " ~ record_struct('event', var('segment_track_fields')) ~ " end",
            'page': "case when element.event_type = 'page' then " ~ record_struct('name', var('segment_page_fields')) ~ " end",
            'screen': "case when element.event_type = 'screen' then " ~ record_struct('name', var('segment_page_fields')) ~ " end",
        })) }} as records
    from with_pages
)

select * from sessions
