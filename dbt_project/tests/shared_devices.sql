{{ config(severity='warn', where=none) }}

-- Ids of the window that too many people use: devices on which more than max_users_per_alias users ever logged in, and ids that alias calls join with
-- more than that many others. They are kiosks or placeholders. Counted in the edges from which the graph was made.
with devices_of_window as (
    {{ ids_of_window('anonymous_id') }}
),

named_by_calls_of_window as (
    select distinct id from ({{ joined_by_calls(internal_relation('identity_edges'), in_window('event_date')) }}) as calls
),

by_logins as (
    select
        pairs.anonymous_id as id,
        count(distinct pairs.user_id) as user_count,
        min(pairs.first_event_at) as first_seen_at,
        max(pairs.last_event_at) as last_seen_at
    from {{ internal_relation('identity_pairs') }} as pairs
    inner join devices_of_window on pairs.anonymous_id = devices_of_window.id
    where pairs.edge_type = 'identifiers'
    group by pairs.anonymous_id
),

by_calls as (
    select
        calls.id,
        count(distinct calls.other_id) as user_count,
        min(calls.first_event_at) as first_seen_at,
        max(calls.last_event_at) as last_seen_at
    from ({{ joined_by_calls(internal_relation('identity_pairs')) }}) as calls
    inner join named_by_calls_of_window on calls.id = named_by_calls_of_window.id
    group by calls.id
),

shared as (
    select *, 'logins' as joined_by from by_logins
    union all
    select *, 'alias calls' as joined_by from by_calls
)

select shared.id, shared.user_count, graph.dbt_visitor_id, shared.first_seen_at, shared.last_seen_at, shared.joined_by
from shared
left join {{ source('core', 'identity_graph') }} as graph on shared.id = graph.alias
where shared.user_count > {{ var('max_users_per_alias') }}
order by shared.user_count desc, shared.id asc
