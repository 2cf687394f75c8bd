{{ config(severity='warn', where=none) }}

-- Ids of the window that are a device's id on events of one user, and also the id of another user: two numberings overlap. Ids are compared as text,
-- so the device's events without a login go to the user with that id.
with of_window as (
    {{ ids_of_window('anonymous_id') }}
    union distinct
    {{ ids_of_window('user_id') }}
),

devices as (
    select pairs.anonymous_id as id, count(distinct pairs.user_id) as other_users, min(pairs.user_id) as one_of_them
    from {{ internal_relation('identity_pairs') }} as pairs
    inner join of_window on pairs.anonymous_id = of_window.id
    where pairs.edge_type = 'identifiers' and pairs.user_id <> pairs.anonymous_id
    group by pairs.anonymous_id
),

users as (
    select pairs.user_id as id, min(pairs.anonymous_id) as device_of_user
    from {{ internal_relation('identity_pairs') }} as pairs
    inner join devices on pairs.user_id = devices.id
    where pairs.edge_type = 'identifiers'
    group by pairs.user_id
)

select devices.id, devices.other_users, devices.one_of_them, users.device_of_user, graph.dbt_visitor_id
from devices
inner join users on devices.id = users.id
left join {{ source('core', 'identity_graph') }} as graph on devices.id = graph.alias
order by devices.id
