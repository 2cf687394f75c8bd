{{ config(enabled=is_chosen('measure_js'), meta={'dagster': {'ref': {'name': 'users'}}}, where=none) }}

-- A client is either among clients or has a user in user_map, and its events are those of its users and of nobody together.
with of_users as (
    select client_id, sum(total_events) as event_count, max(case when user_id is null then 0 else 1 end) as has_user
    from {{ ref('users') }}
    group by client_id
),

of_clients as (
    select client_id, total_events as event_count from {{ ref('clients') }}
),

mapped as (
    select distinct client_id from {{ ref('user_map') }}
)

select of_users.client_id, of_users.event_count, of_users.has_user, of_clients.event_count as client_event_count, mapped.client_id as mapped_client
from of_users
full outer join of_clients on of_users.client_id = of_clients.client_id
left join mapped on of_users.client_id = mapped.client_id
where
    of_users.client_id is null
    or (of_users.has_user = 1 and (of_clients.client_id is not null or mapped.client_id is null))
    or (of_users.has_user = 0 and (of_clients.client_id is null or mapped.client_id is not null))
    or of_users.event_count <> of_clients.event_count
