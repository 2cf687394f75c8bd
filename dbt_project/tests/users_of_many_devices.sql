{{ config(severity='warn', where=none) }}

-- User ids of the window that were ever seen on more devices than one person has: an account of many people, or a placeholder that is not in
-- blocked_ids. Counted in the edges from which the graph was made.
with seen as (
    {{ ids_of_window('user_id') }}
),

users as (
    select
        pairs.user_id,
        count(distinct pairs.anonymous_id) as device_count,
        min(pairs.first_event_at) as first_seen_at,
        max(pairs.last_event_at) as last_seen_at
    from {{ internal_relation('identity_pairs') }} as pairs
    inner join seen on pairs.user_id = seen.id
    where pairs.edge_type = 'identifiers'
    group by pairs.user_id
)

select users.user_id, users.device_count, graph.dbt_visitor_id, users.first_seen_at, users.last_seen_at
from users
left join {{ source('core', 'identity_graph') }} as graph on users.user_id = graph.alias
where users.device_count > {{ var('max_aliases_per_user') }}
order by users.device_count desc, users.user_id asc
