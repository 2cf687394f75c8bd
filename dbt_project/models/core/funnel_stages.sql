{{ config(
    materialized='frontier', entity='dbt_visitor_id', at='reached_at', date='reached_date',
    prior_columns=['entry_number', 'stage_number', 'reached_at', 'entry_date'], prior_order=['entry_number', 'stage_number'],
    tags=['sessions']
) }}

with stage_events as (
    select
        tracks.dbt_visitor_id,
        tracks.event_id,
        tracks.event,
        tracks.timestamp,
        tracks.event_sequence,
        tracks.event_date,
        funnel.stage_number,
        funnel.stage_name
    from {{ from_frontier(ref('session_events')) }} as tracks
    inner join {{ ref('funnel_events') }} as funnel on tracks.event = funnel.event
),

last_stage as (
    select max(stage_number) as stage_number from {{ ref('funnel_events') }}
),

-- Where each visitor stands before the first of these events: nowhere, or at the last stage they reached.
standing as (
    select entity as dbt_visitor_id, entry_number, stage_number, reached_at, entry_date
    from ({{ prior_rows({
        'entry_number': type_bigint(), 'stage_number': type_bigint(), 'reached_at': dbt.type_timestamp(), 'entry_date': 'date',
    }) }}) as prior_row
),

placed as (
    select
        stage_events.*,
        row_number() over (partition by stage_events.dbt_visitor_id order by {{ event_order('stage_events') }}) as position,
        coalesce(standing.stage_number, 0) as standing_stage,
        last_stage.stage_number as last_stage
    from stage_events
    cross join last_stage
    left join standing on stage_events.dbt_visitor_id = standing.dbt_visitor_id
),

-- From where they stand each waits for the next stage, and after the last for the first again; other events change nothing.
reached as (
    {{ positions_reached('placed') }}
),

told as (
    select
        placed.*,
        sum(case when placed.stage_number = 1 then 1 else 0 end)
            over (visitor rows between unbounded preceding and current row) as entries_so_far,
        max(case when placed.stage_number = 1 then placed.event_date end)
            over (visitor rows between unbounded preceding and current row) as last_entry_date,
        lag(placed.timestamp) over visitor as previous_reached_at
    from reached
    inner join placed on reached.dbt_visitor_id = placed.dbt_visitor_id and reached.position = placed.position
    window visitor as (partition by placed.dbt_visitor_id order by placed.position)
),

stages as (
    select
        told.dbt_visitor_id,
        cast(coalesce(standing.entry_number, 0) + told.entries_so_far as {{ type_bigint() }}) as entry_number,
        cast(told.stage_number as {{ type_bigint() }}) as stage_number,
        told.stage_name,
        told.event_id,
        told.event,
        told.timestamp as reached_at,
        case
            when told.stage_number > 1
                then {{ seconds_between('coalesce(told.previous_reached_at, standing.reached_at)', 'told.timestamp') }}
        end as seconds_since_previous_stage,
        coalesce(told.last_entry_date, standing.entry_date) as entry_date,
        told.event_date as reached_date
    from told
    left join standing on told.dbt_visitor_id = standing.dbt_visitor_id
)

select * from stages
