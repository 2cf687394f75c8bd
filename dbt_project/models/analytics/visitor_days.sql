{{ config(
    materialized='frontier', rewrite_from='date', entity='dbt_visitor_id', at='date', date='date',
    prior_columns=['date'], prior_order=['date']
) }}

with events as (
    select * from {{ from_frontier(ref('session_events')) }} as session_events
),

-- A pause counts for the date of the event that ends it.
active as (
    select
        dbt_visitor_id,
        event_date,
        count(distinct session_sequence_number) as session_count,
        count(*) as event_count,
        cast(sum(case when event_type in ('page', 'screen') then 1 else 0 end) as {{ type_bigint() }}) as page_count,
        cast(sum(
            case
                when track_sequence_number > 1
                    then least({{ idle_microseconds() }}, {{ var('engaged_gap_seconds') * 1000000 }})
                else 0
            end
        ) as {{ type_bigint() }}) as engaged_microseconds
    from events
    group by dbt_visitor_id, event_date
),

converted as (
    select dbt_visitor_id, conversion_date, count(*) as conversion_count, sum(conversion_amount) as conversion_amount
    from {{ from_frontier(ref('conversion_events'), date='conversion_date') }} as conversion_events
    group by dbt_visitor_id, conversion_date
),

-- The visitor's last date before these.
prior_row as (
    {{ prior_rows({'date': 'date'}) }}
),

previous as (
    select
        active.*,
        coalesce(
            lag(active.event_date) over (partition by active.dbt_visitor_id order by active.event_date), prior_row.date
        ) as previous_date
    from active
    left join prior_row on active.dbt_visitor_id = prior_row.entity
),

days as (
    select
        previous.dbt_visitor_id,
        previous.event_date as date,
        previous.session_count,
        previous.event_count,
        previous.page_count,
        {{ seconds_of('previous.engaged_microseconds') }} as engaged_seconds,
        coalesce(converted.conversion_count, 0) as conversion_count,
        cast(coalesce(converted.conversion_amount, 0) as {{ type_double() }}) as conversion_value,
        case
            when previous.previous_date is null then 'new'
            when previous.previous_date >= {{ date_plus('previous.event_date', -1 * var('returning_days')) }} then 'returning'
            else 'resurrected'
        end as lifecycle
    from previous
    left join converted on previous.dbt_visitor_id = converted.dbt_visitor_id and previous.event_date = converted.conversion_date
)

select * from days
