{{ config(materialized='view') }}

select client_id, user_id, first_seen, last_seen
from {{ ref('users') }}
where user_id is not null
