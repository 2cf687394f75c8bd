-- The seed: the same eight tables the way that RudderStack's public dbt sample makes them, each rebuilt whole from the ones before by
-- straightforward SQL. Its rows differ from the project's in these points:
--   * an event that came twice counts twice;
--   * a device belongs to the user that its newest event names, found by following aliases; times alone decide, so ties are open;
--   * idle times and durations are whole minutes as datediff counts them (boundaries crossed), so a gap of 30:00 to 30:59 may go either way;
--   * a session of two events at the same moment numbers them in any order.

create view tracks as
select id as event_id, anonymous_id, user_id, timestamp, event from read_parquet('{landing}/rudderstack/tracks/{files}.parquet')
union all
select id, anonymous_id, user_id, timestamp, name from read_parquet('{landing}/rudderstack/pages/{files}.parquet');

create view all_events as
select anonymous_id, user_id, timestamp from tracks
union all
select anonymous_id, user_id, timestamp from read_parquet('{landing}/rudderstack/identifies/{files}.parquet');

-- Each alias with the one that its newest event names after it.
create table realiases as
select distinct
    alias,
    last_value(next_alias ignore nulls) over (
        partition by alias order by timestamp rows between unbounded preceding and unbounded following
    ) as next_alias
from (
    select anonymous_id as alias, user_id as next_alias, timestamp from all_events where anonymous_id is not null
    union all
    select user_id, null, timestamp from all_events where user_id is not null
) as mappings;

-- Aliases are followed step by step, as far as there is a next one.
create table dbt_aliases_mapping as
select
    r0.alias,
    coalesce(r5.next_alias, r4.next_alias, r3.next_alias, r2.next_alias, r1.next_alias, r0.next_alias, r0.alias) as dbt_visitor_id
from realiases as r0
left join realiases as r1 on r0.next_alias = r1.alias
left join realiases as r2 on r1.next_alias = r2.alias
left join realiases as r3 on r2.next_alias = r3.alias
left join realiases as r4 on r3.next_alias = r4.alias
left join realiases as r5 on r4.next_alias = r5.alias;

create table dbt_mapped_tracks as
select
    *,
    date_diff('minute', lag(timestamp) over (partition by dbt_visitor_id order by timestamp), timestamp) as idle_time_minutes
from (
    select tracks.event_id, tracks.anonymous_id, aliases.dbt_visitor_id, tracks.timestamp, tracks.event
    from tracks
    inner join dbt_aliases_mapping as aliases on aliases.alias = coalesce(tracks.user_id, tracks.anonymous_id)
) as mapped;

create table dbt_session_tracks as
select
    concat(cast(row_number() over (partition by dbt_visitor_id order by timestamp) as varchar), ' - ', dbt_visitor_id) as session_id,
    dbt_visitor_id,
    timestamp as session_start_at,
    row_number() over (partition by dbt_visitor_id order by timestamp) as session_sequence_number,
    lead(timestamp) over (partition by dbt_visitor_id order by timestamp) as next_session_start_at
from dbt_mapped_tracks
where idle_time_minutes > 30 or idle_time_minutes is null;

create table dbt_track_facts as
select
    tracks.anonymous_id,
    tracks.timestamp,
    tracks.event_id,
    tracks.event,
    sessions.session_id,
    tracks.dbt_visitor_id,
    row_number() over (partition by sessions.session_id order by tracks.timestamp) as track_sequence_number
from dbt_mapped_tracks as tracks
inner join dbt_session_tracks as sessions
    on tracks.dbt_visitor_id = sessions.dbt_visitor_id
    and tracks.timestamp >= sessions.session_start_at
    and (tracks.timestamp < sessions.next_session_start_at or sessions.next_session_start_at is null);

create table dbt_tracks_flow as
select
    event_id,
    session_id,
    track_sequence_number,
    event,
    dbt_visitor_id,
    timestamp,
    lead(event, 1) over (partition by session_id order by track_sequence_number) as event_2,
    lead(event, 2) over (partition by session_id order by track_sequence_number) as event_3,
    lead(event, 3) over (partition by session_id order by track_sequence_number) as event_4,
    lead(event, 4) over (partition by session_id order by track_sequence_number) as event_5
from dbt_track_facts;

create table dbt_session_track_facts as
select
    sessions.session_id,
    max(facts.timestamp) as ended_at,
    count(distinct facts.event_id) as num_pvs,
    count(case when facts.event = 'viewed_product' then facts.event_id end) as cnt_viewed_product,
    count(case when facts.event = 'signup' then facts.event_id end) as cnt_signup
from dbt_session_tracks as sessions
inner join dbt_track_facts as facts on sessions.session_id = facts.session_id
group by sessions.session_id;

create table dbt_user_session_facts as
select
    dbt_visitor_id, min(session_start_at) as first_date, max(session_start_at) as last_date, count(*) as number_of_sessions
from dbt_session_tracks
group by dbt_visitor_id;

create table dbt_session_duration as
select
    sessions.dbt_visitor_id,
    sessions.session_id,
    date_diff('minute', sessions.session_start_at, facts.ended_at) as session_duration
from dbt_session_tracks as sessions
inner join dbt_session_track_facts as facts on sessions.session_id = facts.session_id;
