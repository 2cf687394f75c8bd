{{ config(severity='warn', where=none) }}

-- Devices of the window that more users logged in on, ever, than one device has: kiosks, or an id that is none. Counted on the edges
-- that the graph was made from.
with seen as (
    select distinct anonymous_id
    from {{ internal_relation('identity_edges') }}
    where edge_type = 'identifiers' and {{ in_window('event_date') }}
),

devices as (
    select
        pairs.anonymous_id,
        count(distinct pairs.user_id) as user_count,
        min(pairs.first_event_at) as first_seen_at,
        max(pairs.last_event_at) as last_seen_at
    from {{ internal_relation('identity_pairs') }} as pairs
    inner join seen on pairs.anonymous_id = seen.anonymous_id
    where pairs.edge_type = 'identifiers'
    group by pairs.anonymous_id
)

select devices.anonymous_id, devices.user_count, graph.dbt_visitor_id, devices.first_seen_at, devices.last_seen_at
from devices
left join {{ source('core', 'identity_graph') }} as graph on devices.anonymous_id = graph.alias
where devices.user_count > {{ var('max_users_per_alias') }}
order by devices.user_count desc, devices.anonymous_id asc
