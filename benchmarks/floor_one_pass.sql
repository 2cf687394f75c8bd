-- The floor in one pass: one sort over numbers, one wide table per grain, and the named tables as views of them. Ids and names of events are numbered
-- before they are sorted, and read again where a row is written.

create temp table visitors as
select dbt_visitor_id, cast(row_number() over () as integer) as visitor
from (select distinct dbt_visitor_id from dbt_aliases_mapping);

create temp table numbered_aliases as
select aliases.alias, visitors.visitor
from dbt_aliases_mapping as aliases
inner join visitors on aliases.dbt_visitor_id = visitors.dbt_visitor_id;

create temp table names as
select event, cast(row_number() over () as integer) as name
from (select distinct event from events where event is not null);

create temp table numbered_events as
select events.rowid as event_row, aliases.visitor, epoch_us(events.timestamp) as microseconds, events.event_id, names.name
from events
inner join numbered_aliases as aliases on coalesce(events.user_id, events.anonymous_id) = aliases.alias
left join names on events.event = names.event
where events.makes_sessions;

create temp table places as
with gaps as (
    select event_row, visitor, microseconds, name, microseconds - lag(microseconds) over stream as gap, row_number() over stream as place
    from numbered_events
    window stream as (partition by visitor order by microseconds, event_id)
),

starts as (
    select *, case when gap is null or gap > 1800000000 then 1 else 0 end as is_start from gaps
)

select
    event_row,
    visitor,
    microseconds,
    name,
    gap,
    place,
    sum(is_start) over stream as session_sequence_number,
    max(case when is_start = 1 then place end) over stream as first_place,
    case when lead(is_start, 1) over stream = 0 then lead(name, 1) over stream end as name_2,
    case when lead(is_start, 1) over stream = 0 and lead(is_start, 2) over stream = 0 then lead(name, 2) over stream end as name_3,
    case
        when lead(is_start, 1) over stream = 0 and lead(is_start, 2) over stream = 0 and lead(is_start, 3) over stream = 0
            then lead(name, 3) over stream
    end as name_4,
    case
        when
            lead(is_start, 1) over stream = 0 and lead(is_start, 2) over stream = 0
            and lead(is_start, 3) over stream = 0 and lead(is_start, 4) over stream = 0
            then lead(name, 4) over stream
    end as name_5
from starts
window stream as (partition by visitor order by place);

create table session_events as
select
    events.event_id,
    events.anonymous_id,
    visitors.dbt_visitor_id,
    events.timestamp,
    events.event,
    cast(places.gap as double) / 60000000 as idle_time_minutes,
    cast(events.timestamp as date) as event_date,
    concat(places.session_sequence_number, ' - ', visitors.dbt_visitor_id) as session_id,
    places.place - places.first_place + 1 as track_sequence_number,
    names_2.event as event_2,
    names_3.event as event_3,
    names_4.event as event_4,
    names_5.event as event_5
from places
inner join events on places.event_row = events.rowid
inner join visitors on places.visitor = visitors.visitor
left join names as names_2 on places.name_2 = names_2.name
left join names as names_3 on places.name_3 = names_3.name
left join names as names_4 on places.name_4 = names_4.name
left join names as names_5 on places.name_5 = names_5.name;

create table sessions as
with grouped as (
    select
        places.visitor,
        places.session_sequence_number,
        min(places.microseconds) as started_at,
        max(places.microseconds) as ended_at,
        count(*) as num_pvs,
        count(*) filter (where names.event = 'viewed_product') as cnt_viewed_product,
        count(*) filter (where names.event = 'signup') as cnt_signup
    from places
    left join names on places.name = names.name and names.event in ('viewed_product', 'signup')
    group by places.visitor, places.session_sequence_number
)

select
    concat(grouped.session_sequence_number, ' - ', visitors.dbt_visitor_id) as session_id,
    visitors.dbt_visitor_id,
    grouped.session_sequence_number,
    make_timestamp(grouped.started_at) as session_start_at,
    make_timestamp(lead(grouped.started_at) over (partition by grouped.visitor order by grouped.session_sequence_number)) as next_session_start_at,
    cast(make_timestamp(grouped.started_at) as date) as session_start_date,
    make_timestamp(grouped.ended_at) as ended_at,
    cast(grouped.ended_at - grouped.started_at as double) / 60000000 as session_duration,
    grouped.num_pvs,
    grouped.cnt_viewed_product,
    grouped.cnt_signup
from grouped
inner join visitors on grouped.visitor = visitors.visitor;

create view dbt_mapped_tracks as
select event_id, anonymous_id, dbt_visitor_id, timestamp, event, idle_time_minutes, event_date from session_events;

create view dbt_track_facts as
select anonymous_id, timestamp, event_id, event, session_id, dbt_visitor_id, track_sequence_number, event_date from session_events;

create view dbt_tracks_flow as
select event_id, session_id, track_sequence_number, event, dbt_visitor_id, timestamp, event_2, event_3, event_4, event_5, event_date from session_events;

create view dbt_session_tracks as
select session_id, dbt_visitor_id, session_start_at, session_sequence_number, next_session_start_at, session_start_date from sessions;

create view dbt_session_track_facts as
select session_id, ended_at, num_pvs, cnt_viewed_product, cnt_signup, session_start_date from sessions;

create view dbt_session_duration as
select dbt_visitor_id, session_id, session_duration, session_start_date from sessions;

create table dbt_user_session_facts as
select
    dbt_visitor_id, min(session_start_at) as first_date, max(session_start_at) as last_date, count(*) as number_of_sessions
from sessions
group by dbt_visitor_id;
