-- The floor, one table after the other: each is stored. About half of the time is the writing of the three tables with a row per event.

create table dbt_mapped_tracks as
with tracks as (
    select events.event_id, events.anonymous_id, aliases.dbt_visitor_id, events.timestamp, events.event
    from events
    inner join dbt_aliases_mapping as aliases on coalesce(events.user_id, events.anonymous_id) = aliases.alias
    where events.makes_sessions
)

select
    *,
    cast(
        date_diff('microsecond', lag(timestamp) over (partition by dbt_visitor_id order by timestamp, event_id), timestamp) as double
    ) / 60000000 as idle_time_minutes,
    cast(timestamp as date) as event_date
from tracks;

drop table events;

create table dbt_session_tracks as
with starts as (
    select
        dbt_visitor_id,
        timestamp as session_start_at,
        row_number() over visitor as session_sequence_number,
        lead(timestamp) over visitor as next_session_start_at
    from dbt_mapped_tracks
    where idle_time_minutes is null or idle_time_minutes > 30
    window visitor as (partition by dbt_visitor_id order by timestamp)
)

select
    concat(session_sequence_number, ' - ', dbt_visitor_id) as session_id,
    *,
    cast(session_start_at as date) as session_start_date
from starts;

-- Sessions as numbers: they are sorted faster than texts.
create temp table sessions as
select
    rowid as session, session_id, dbt_visitor_id, session_start_at, session_sequence_number,
    coalesce(next_session_start_at, timestamp 'infinity') as ends_before
from dbt_session_tracks;

create table dbt_track_facts as
with tracks as (
    select tracks.anonymous_id, tracks.timestamp, tracks.event_id, tracks.event, tracks.dbt_visitor_id, tracks.event_date, sessions.session, sessions.session_id
    from dbt_mapped_tracks as tracks
    inner join sessions
        on
            tracks.dbt_visitor_id = sessions.dbt_visitor_id
            and tracks.timestamp >= sessions.session_start_at
            and tracks.timestamp < sessions.ends_before
)

select
    * exclude (session),
    row_number() over (partition by session order by timestamp, event_id) as track_sequence_number
from tracks;

create table dbt_tracks_flow as
select
    event_id,
    session_id,
    track_sequence_number,
    event,
    dbt_visitor_id,
    timestamp,
    lead(event, 1) over session_order as event_2,
    lead(event, 2) over session_order as event_3,
    lead(event, 3) over session_order as event_4,
    lead(event, 4) over session_order as event_5,
    event_date
from dbt_track_facts
window session_order as (partition by session_id order by track_sequence_number);

create table dbt_session_track_facts as
select
    session_id,
    max(timestamp) as ended_at,
    count(*) as num_pvs,
    count(*) filter (where event = 'viewed_product') as cnt_viewed_product,
    count(*) filter (where event = 'signup') as cnt_signup,
    cast(min(timestamp) as date) as session_start_date
from dbt_track_facts
group by session_id;

create table dbt_session_duration as
select
    sessions.dbt_visitor_id,
    sessions.session_id,
    cast(date_diff('microsecond', sessions.session_start_at, facts.ended_at) as double) / 60000000 as session_duration,
    facts.session_start_date
from dbt_session_tracks as sessions
inner join dbt_session_track_facts as facts on sessions.session_id = facts.session_id;

create table dbt_user_session_facts as
select
    dbt_visitor_id, min(session_start_at) as first_date, max(session_start_at) as last_date, count(*) as number_of_sessions
from dbt_session_tracks
group by dbt_visitor_id;
