{{ config(severity='warn', where=none) }}

-- Devices of the window that more users logged in on, ever, than one device has: kiosks, or an id that is none. Counted on the edges
-- that the graph was made from.
with edges as (
    select anonymous_id, user_id, event_date, first_event_at, last_event_at
    from {{ internal_relation('identity_edges') }}
    where edge_type = 'identifiers' and anonymous_id is not null
),

seen as (
    select distinct anonymous_id from edges
    where {{ in_window('event_date') }}
),

devices as (
    select
        edges.anonymous_id,
        count(distinct edges.user_id) as user_count,
        min(edges.first_event_at) as first_seen_at,
        max(edges.last_event_at) as last_seen_at
    from edges
    inner join seen on edges.anonymous_id = seen.anonymous_id
    group by edges.anonymous_id
)

select devices.anonymous_id, devices.user_count, graph.dbt_visitor_id, devices.first_seen_at, devices.last_seen_at
from devices
left join {{ source('core', 'identity_graph') }} as graph on devices.anonymous_id = graph.alias
where devices.user_count > {{ var('max_users_per_alias') }}
order by devices.user_count desc, devices.anonymous_id asc
