{{ config(
    materialized='frontier', entity='dbt_visitor_id', at='reached_at', date='reached_date',
    tags=['sessions']
) }}

with recursive stage_events as (
    select
        tracks.dbt_visitor_id,
        tracks.event_id,
        tracks.event,
        tracks.timestamp,
        tracks.event_date,
        funnel.stage_number,
        funnel.stage_name
    from {{ from_frontier(ref('dbt_mapped_tracks')) }} as tracks
    inner join {{ ref('funnel_events') }} as funnel on tracks.event = funnel.event
),

last_stage as (
    select max(stage_number) as stage_number from {{ ref('funnel_events') }}
),

-- Where each visitor stands before the first of these events: nowhere, or at the last stage they reached.
standing as (
    {% if is_frontier_run() %}
        select dbt_visitor_id, entry_number, stage_number, reached_at, entry_date
        from {{ this }}
        where dbt_visitor_id in (select entity from {{ frontier_relation(model.name) }})
        qualify row_number() over (partition by dbt_visitor_id order by entry_number desc, stage_number desc) = 1
    {% else %}
        select
            cast('' as {{ dbt.type_string() }}) as dbt_visitor_id, cast(0 as {{ type_bigint() }}) as entry_number,
            cast(0 as {{ type_bigint() }}) as stage_number, {{ null_timestamp() }} as reached_at, cast(null as date) as entry_date
        from (select 1 as one) as nothing
        where false
    {% endif %}
),

-- Each event with the stage that it waits for: the next, or the first again after the last.
waiting as (
    select
        stage_events.dbt_visitor_id,
        row_number() over (partition by stage_events.dbt_visitor_id order by stage_events.timestamp, stage_events.event_id) as position,
        stage_events.stage_number,
        case when stage_events.stage_number = last_stage.stage_number then 1 else stage_events.stage_number + 1 end as wanted_stage
    from stage_events
    cross join last_stage
    union all
    select
        visitors.dbt_visitor_id,
        0 as position,
        coalesce(standing.stage_number, 0) as stage_number,
        case
            when standing.stage_number is null or standing.stage_number = last_stage.stage_number then 1
            else standing.stage_number + 1
        end as wanted_stage
    from (select distinct dbt_visitor_id from stage_events) as visitors
    cross join last_stage
    left join standing on visitors.dbt_visitor_id = standing.dbt_visitor_id
),

-- Asked of each row: where is the next event of the stage that it waits for?
asked as (
    select dbt_visitor_id, wanted_stage as stage_number, position, 0 as is_event from waiting
    union all
    select dbt_visitor_id, stage_number, position, 1 as is_event
    from waiting
    where position > 0
),

answered as (
    select
        dbt_visitor_id,
        position,
        is_event,
        min(case when is_event = 1 then position end) over (
            partition by dbt_visitor_id, stage_number order by position
            range between 1 following and unbounded following
        ) as next_position
    from asked
),

steps as (
    select dbt_visitor_id, position, next_position
    from answered
    where is_event = 0 and next_position is not null
),

-- The visitor's way along those answers. As deep as the longest way.
reached as (
    select dbt_visitor_id, next_position as position
    from steps
    where position = 0
    union all
    select steps.dbt_visitor_id, steps.next_position
    from reached
    inner join steps on reached.dbt_visitor_id = steps.dbt_visitor_id and reached.position = steps.position
),

placed as (
    select
        *,
        row_number() over (partition by dbt_visitor_id order by timestamp, event_id) as position
    from stage_events
),

told as (
    select
        placed.*,
        sum(case when placed.stage_number = 1 then 1 else 0 end) over visitor_so_far as entries_so_far,
        max(case when placed.stage_number = 1 then placed.event_date end) over visitor_so_far as last_entry_date,
        lag(placed.timestamp) over (partition by placed.dbt_visitor_id order by placed.position) as previous_reached_at
    from reached
    inner join placed on reached.dbt_visitor_id = placed.dbt_visitor_id and reached.position = placed.position
    window visitor_so_far as (
        partition by placed.dbt_visitor_id order by placed.position rows between unbounded preceding and current row
    )
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
