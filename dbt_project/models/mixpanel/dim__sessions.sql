{{ config(
    materialized='frontier', entity='user_id', at='start_time', date='start_date', carries=['session_id'], carries_order=['session_id']
) }}

with tracks as (
    select * from {{ from_frontier(ref('dbt_mapped_tracks')) }} as mapped
),

-- Sessions of this table before the frontier: it cuts more of them than dbt_session_tracks does.
numbered_so_far as (
    select entity as user_id, session_id as sessions_so_far
    from ({{ carried_rows({'session_id': type_bigint()}) }}) as carried
),

numbered as (
    {{ numbered_with_midnight_split('tracks') }}
),

attributes as (
    select event_id, event_date, country, device, os
    from {{ ref('events') }}
    where event_date >= {{ frontier_date() }}
),

sessions as (
    select
        numbered.dbt_visitor_id as user_id,
        numbered.session_number,
        numbered.event_date as start_date,
        numbered.event_date as end_date,
        min(numbered.timestamp) as start_time,
        max(numbered.timestamp) as end_time,
        {{ seconds_between('min(numbered.timestamp)', 'max(numbered.timestamp)') }} as session_duration_secs,
        {{ first_value_in_order('attributes.country', 'numbered.visitor_track_number') }} as country,
        {{ first_value_in_order('attributes.device', 'numbered.visitor_track_number') }} as device,
        {{ first_value_in_order('attributes.os', 'numbered.visitor_track_number') }} as os
    from numbered
    inner join attributes on numbered.event_id = attributes.event_id and numbered.event_date = attributes.event_date
    group by numbered.dbt_visitor_id, numbered.session_number, numbered.event_date
),

dim as (
    select
        sessions.user_id,
        cast(coalesce(numbered_so_far.sessions_so_far, 0) + sessions.session_number as {{ type_bigint() }}) as session_id,
        sessions.start_date,
        sessions.end_date,
        sessions.start_time,
        sessions.end_time,
        sessions.session_duration_secs,
        sessions.country,
        sessions.device,
        sessions.os
    from sessions
    left join numbered_so_far on sessions.user_id = numbered_so_far.user_id
)

select * from dim
