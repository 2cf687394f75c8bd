{{ config(enabled=is_chosen('measure_js')) }}

with events as (
    select country, client_id, session_id
    from {{ ref('events_sessionated') }}
    where country is not null
),

countries as (
    select
        country,
        count(*) as events,
        count(distinct client_id) as unique_clients,
        count(distinct session_id) as sessions
    from events
    group by country
)

select * from countries
order by events desc, country asc
