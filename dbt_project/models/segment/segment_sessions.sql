{{ config(
    materialized='frontier', rewrite_from='session_number',
    entity='user_id', at='session_index', date=local_date('session_start_timestamp'), stored_by='session_start_timestamp'
) }}

with tracks as (
    select * from {{ from_frontier(ref('dbt_track_facts')) }} as track_facts
),

events as (
    select *
    from {{ ref('events') }}
    where event_date >= {{ frontier_date() }}
),

calls as (
    select
        tracks.session_id,
        tracks.dbt_visitor_id,
        tracks.event_id,
        tracks.timestamp,
        events.event_type,
        case when events.event_type = 'track' then {{ record_struct('event', var('segment_track_fields')) }} end as track,
        case when events.event_type = 'page' then {{ record_struct('name', var('segment_page_fields')) }} end as page,
        case when events.event_type = 'screen' then {{ record_struct('name', var('segment_page_fields')) }} end as screen
    from tracks
    inner join events on tracks.event_id = events.event_id and tracks.event_date = events.event_date
),

grouped as (
    select
        session_id,
        dbt_visitor_id,
        min(timestamp) as session_start_timestamp,
        max(timestamp) as session_end_timestamp,
        {{ struct_of({
            'total_tracks': "cast(sum(case when event_type = 'track' then 1 else 0 end) as " ~ type_bigint() ~ ")",
            'total_pages': "cast(sum(case when event_type = 'page' then 1 else 0 end) as " ~ type_bigint() ~ ")",
            'total_screens': "cast(sum(case when event_type = 'screen' then 1 else 0 end) as " ~ type_bigint() ~ ")",
            'duration_millis': whole_milliseconds('min(timestamp)', 'max(timestamp)'),
        }) }} as stats,
        {{ first_value_in_order('calls.page', 'calls') }} as first_page,
        {{ last_value_in_order('calls.page', 'calls') }} as last_page,
        {{ array_in_order(struct_of({
            'timestamp': 'calls.timestamp', 'track': 'calls.track', 'page': 'calls.page', 'screen': 'calls.screen',
        }), 'calls') }} as records
    from calls
    group by session_id, dbt_visitor_id
),

sessions as (
    select
        session_id,
        {{ session_number_of('session_id') }} as session_index,
        dbt_visitor_id as user_id,
        session_start_timestamp,
        session_end_timestamp,
        stats,
        {{ page_values('first_', 'first_page') }} as first_page_values,
        {{ page_values('last_', 'last_page') }} as last_page_values,
        records
    from grouped
)

select * from sessions
