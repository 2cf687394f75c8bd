-- What both floors begin with: the events and aliases of the eight RudderStack tables, from the raw files, by the quickest SQL that we know of.
-- There is no regard to reading, changing or rerunning them. The rules are the project's, so the rows are the project's rows.

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
        case when lower(trim(anonymous_id)) not in ({blocked_ids}) then trim(anonymous_id) end as anonymous_id,
        case when lower(trim(user_id)) not in ({blocked_ids}) then trim(user_id) end as user_id,
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

-- An event that came twice on a day is one. Numbers are grouped, not texts: an id that occurs once cannot share a number with itself.
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
