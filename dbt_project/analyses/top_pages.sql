{{ config(enabled=is_chosen('measure_js')) }}

with events as (
    select url, client_id, event_type
    from {{ ref('events_sessionated') }}
    where url is not null
),

pages as (
    select
        url,
        count(*) as views,
        sum(case when event_type = 'page' then 1 else 0 end) as pageviews,
        count(distinct client_id) as unique_visitors,
        cast(count(*) as {{ type_double() }}) / count(distinct client_id) as views_per_visitor
    from events
    group by url
)

select * from pages
order by views desc, url asc
limit 20
