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

-- Each visitor's last stage before these events. Visitors who reached no stage have no row.
prior_stage as (
    select entity as dbt_visitor_id, entry_number, stage_number, reached_at, entry_date
    from ({{ prior_rows({
        'entry_number': type_bigint(), 'stage_number': type_bigint(), 'reached_at': dbt.type_timestamp(), 'entry_date': 'date',
    }) }}) as prior_row
),

placed as (
    select
        stage_events.*,
        row_number() over (partition by stage_events.dbt_visitor_id order by {{ event_order('stage_events') }}) as position,
        coalesce(prior_stage.stage_number, 0) as prior_stage_number,
        last_stage.stage_number as last_stage
    from stage_events
    cross join last_stage
    left join prior_stage on stage_events.dbt_visitor_id = prior_stage.dbt_visitor_id
),

-- A visitor waits for the stage after the last one they reached, and after the last stage of all for the first again. Other events change nothing.
reached as (
    {{ positions_reached('placed') }}
),

reached_stages as (
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
        reached_stages.dbt_visitor_id,
        cast(coalesce(prior_stage.entry_number, 0) + reached_stages.entries_so_far as {{ type_bigint() }}) as entry_number,
        cast(reached_stages.stage_number as {{ type_bigint() }}) as stage_number,
        reached_stages.stage_name,
        reached_stages.event_id,
        reached_stages.event,
        reached_stages.timestamp as reached_at,
        case
            when reached_stages.stage_number > 1
                then {{ seconds_between('coalesce(reached_stages.previous_reached_at, prior_stage.reached_at)', 'reached_stages.timestamp') }}
        end as seconds_since_previous_stage,
        coalesce(reached_stages.last_entry_date, prior_stage.entry_date) as entry_date,
        reached_stages.event_date as reached_date
    from reached_stages
    left join prior_stage on reached_stages.dbt_visitor_id = prior_stage.dbt_visitor_id
)

select * from stages
