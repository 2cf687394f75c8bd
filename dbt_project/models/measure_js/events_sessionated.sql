{{ config(materialized='frontier', entity='client_id', at='timestamp', date='event_date') }}

with client_events as (
    select *, case when {{ is_session_start() }} then 1 else 0 end as new_session
    from {{ from_frontier(ref('client_events'), entity='client_id') }} as stream
),

events as (
    select *
    from {{ ref('events') }}
    where event_date >= {{ frontier_date() }}
),

numbered as (
    select
        *,
        sessions_before + sum(new_session) over (
            partition by client_id order by {{ event_order() }} rows between unbounded preceding and current row
        ) as session_number
    from client_events
),

lengths as (
    select client_id, session_number, {{ seconds_between('min(timestamp)', 'max(timestamp)') }} as session_duration
    from numbered
    group by client_id, session_number
),

sessionated as (
    select
        numbered.event_id,
        events.event_type,
        numbered.client_id,
        events.user_id,
        {{ session_id('numbered.session_number', 'numbered.client_id') }} as session_id,
        events.event as event_name,
        events.url,
        events.path,
        events.title,
        events.referrer,
        events.country,
        events.device,
        events.os,
        numbered.new_session,
        cast(numbered.session_number as {{ type_bigint() }}) as session_number,
        lengths.session_duration,
        numbered.event_sequence,
        numbered.timestamp,
        numbered.event_date
    from numbered
    inner join lengths on numbered.client_id = lengths.client_id and numbered.session_number = lengths.session_number
    inner join events on numbered.event_id = events.event_id and numbered.event_date = events.event_date
)

select * from sessionated
