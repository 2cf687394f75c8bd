-- The floor: the eight RudderStack tables from the raw files by the quickest SQL that we know of, in one pass, whole, with no regard to
-- reading, changing or rerunning it. It keeps the project's rules, so its rows are the project's rows.

-- Rows may lie in any order, which spares holding them back until those before them are written.
set preserve_insertion_order = false;

-- Only columns that the tables need are read. A timestamp of tomorrow, an event without an id: rejected.
create temp table events as
with raw_events as (
    select id, anonymous_id, user_id, timestamp, received_at, event, true as makes_sessions
    from read_parquet('{landing}/rudderstack/tracks/{files}.parquet')
    union all
    select id, anonymous_id, user_id, timestamp, received_at, name, true
    from read_parquet('{landing}/rudderstack/pages/{files}.parquet')
    union all
    select id, anonymous_id, user_id, timestamp, received_at, null, false
    from read_parquet('{landing}/rudderstack/identifies/{files}.parquet')
),

named as (
    select
        nullif(id, '') as event_id,
        case when anonymous_id not in ({blocked_ids}) then anonymous_id end as anonymous_id,
        case when user_id not in ({blocked_ids}) then user_id end as user_id,
        timestamp,
        received_at,
        event,
        makes_sessions
    from raw_events
)

select * from named
where
    event_id is not null and timestamp is not null and coalesce(anonymous_id, user_id) is not null
    and not coalesce(timestamp > received_at + interval 1 day, false);

-- An event that came twice on a day is one. Numbers are grouped, not texts: an id that stands once cannot share a number with itself.
create temp table repeated as
select hash(event_id, cast(timestamp as date)) as key from events group by 1 having count(*) > 1;

create temp table surplus as
select rowid as surplus_row
from events
where hash(event_id, cast(timestamp as date)) in (select key from repeated)
qualify row_number() over (partition by event_id, cast(timestamp as date) order by timestamp, received_at nulls last, events::varchar) > 1;

delete from events where rowid in (select surplus_row from surplus);

-- A user is that user; a device belongs to the user of its newest event with both.
create table dbt_aliases_mapping as
with users as (
    select distinct user_id as alias from events where user_id is not null
),

devices as (
    select anonymous_id as alias, max((timestamp, event_id, user_id)) filter (where user_id is not null)[3] as owner
    from events
    where anonymous_id is not null
    group by anonymous_id
)

select alias, alias as dbt_visitor_id from users
union all
select alias, coalesce(owner, alias) from devices where alias not in (select alias from users);

-- Visitors as numbers: they are grouped and joined faster than texts.
create temp table visitors as
select alias, dbt_visitor_id, dense_rank() over (order by dbt_visitor_id) as visitor from dbt_aliases_mapping;

create temp table people as
select distinct visitor, dbt_visitor_id from visitors;

-- All that needs an order is found in one sort: the event before, the four events after, and what was counted so far.
create temp table stream as
with tracks as (
    select events.event_id, events.anonymous_id, events.timestamp, events.event, visitors.visitor
    from events
    inner join visitors on coalesce(events.user_id, events.anonymous_id) = visitors.alias
    where events.makes_sessions
),

placed as (
    select
        *,
        row_number() over visitor_order as place,
        lag(timestamp) over visitor_order as idle_since,
        lead(timestamp, 1) over visitor_order as at_2,
        lead(timestamp, 2) over visitor_order as at_3,
        lead(timestamp, 3) over visitor_order as at_4,
        lead(timestamp, 4) over visitor_order as at_5,
        lead(event, 1) over visitor_order as next_2,
        lead(event, 2) over visitor_order as next_3,
        lead(event, 3) over visitor_order as next_4,
        lead(event, 4) over visitor_order as next_5,
        count(*) filter (where event = 'viewed_product') over so_far as viewed_products,
        count(*) filter (where event = 'signup') over so_far as signups
    from tracks
    window
        visitor_order as (partition by visitor order by timestamp, event_id),
        so_far as (partition by visitor order by timestamp, event_id rows between unbounded preceding and current row)
),

followed as (
    select
        *,
        coalesce(at_2 - timestamp <= interval 1800 seconds, false) as has_2,
        has_2 and coalesce(at_3 - at_2 <= interval 1800 seconds, false) as has_3,
        has_3 and coalesce(at_4 - at_3 <= interval 1800 seconds, false) as has_4,
        has_4 and coalesce(at_5 - at_4 <= interval 1800 seconds, false) as has_5
    from placed
)

select
    event_id, anonymous_id, timestamp, event, visitor, place, idle_since, viewed_products, signups,
    case when has_2 then next_2 end as event_2,
    case when has_3 then next_3 end as event_3,
    case when has_4 then next_4 end as event_4,
    case when has_5 then next_5 end as event_5
from followed;

create table dbt_mapped_tracks as
select
    stream.event_id,
    stream.anonymous_id,
    people.dbt_visitor_id,
    stream.timestamp,
    stream.event,
    cast(date_diff('microsecond', stream.idle_since, stream.timestamp) as double) / 60000000 as idle_time_minutes,
    cast(stream.timestamp as date) as event_date
from stream
inner join people on stream.visitor = people.visitor;

-- Where sessions and visitors end says all of a session: its events need not be summed up.
create temp table sessions as
with ends as (
    select visitor, max(place) as last_place, max(timestamp) as ended_at, max(viewed_products) as viewed_products, max(signups) as signups
    from stream
    group by visitor
),

starts as (
    select
        visitor,
        timestamp as session_start_at,
        place,
        row_number() over starts_of_visitor as session_sequence_number,
        lead(place) over starts_of_visitor as next_place,
        lead(timestamp) over starts_of_visitor as next_session_start_at,
        lead(idle_since) over starts_of_visitor as ended_at,
        viewed_products - (event is not distinct from 'viewed_product')::int as viewed_products_before,
        signups - (event is not distinct from 'signup')::int as signups_before,
        lead(viewed_products_before) over starts_of_visitor as viewed_products,
        lead(signups_before) over starts_of_visitor as signups
    from stream
    where idle_since is null or timestamp - idle_since > interval 1800 seconds
    window starts_of_visitor as (partition by visitor order by place)
)

select
    starts.visitor,
    people.dbt_visitor_id,
    starts.session_sequence_number,
    concat(starts.session_sequence_number, ' - ', people.dbt_visitor_id) as session_id,
    starts.session_start_at,
    starts.next_session_start_at,
    starts.place as first_place,
    coalesce(starts.next_place - 1, ends.last_place) as last_place,
    coalesce(starts.ended_at, ends.ended_at) as ended_at,
    coalesce(starts.viewed_products, ends.viewed_products) - starts.viewed_products_before as cnt_viewed_product,
    coalesce(starts.signups, ends.signups) - starts.signups_before as cnt_signup
from starts
inner join ends on starts.visitor = ends.visitor
inner join people on starts.visitor = people.visitor;

create table dbt_session_tracks as
select
    session_id, dbt_visitor_id, session_start_at, session_sequence_number, next_session_start_at,
    cast(session_start_at as date) as session_start_date
from sessions;

create table dbt_session_track_facts as
select
    session_id, ended_at, last_place - first_place + 1 as num_pvs, cnt_viewed_product, cnt_signup,
    cast(session_start_at as date) as session_start_date
from sessions;

create table dbt_session_duration as
select
    dbt_visitor_id,
    session_id,
    cast(date_diff('microsecond', session_start_at, ended_at) as double) / 60000000 as session_duration,
    cast(session_start_at as date) as session_start_date
from sessions;

create table dbt_user_session_facts as
select
    dbt_visitor_id, min(session_start_at) as first_date, max(session_start_at) as last_date, count(*) as number_of_sessions
from sessions
group by dbt_visitor_id;

-- Places of a visitor are numbers without a hole, so a session's are a range.
create temp table places as
select visitor, unnest(range(first_place, last_place + 1)) as place, session_id, dbt_visitor_id, first_place from sessions;

create table dbt_track_facts as
select
    stream.anonymous_id,
    stream.timestamp,
    stream.event_id,
    stream.event,
    places.session_id,
    places.dbt_visitor_id,
    stream.place - places.first_place + 1 as track_sequence_number,
    cast(stream.timestamp as date) as event_date
from stream
inner join places on stream.visitor = places.visitor and stream.place = places.place;

create table dbt_tracks_flow as
select
    stream.event_id,
    places.session_id,
    stream.place - places.first_place + 1 as track_sequence_number,
    stream.event,
    places.dbt_visitor_id,
    stream.timestamp,
    stream.event_2,
    stream.event_3,
    stream.event_4,
    stream.event_5,
    cast(stream.timestamp as date) as event_date
from stream
inner join places on stream.visitor = places.visitor and stream.place = places.place;
