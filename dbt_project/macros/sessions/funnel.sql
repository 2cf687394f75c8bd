{#-
The events of a visitor's path through the funnel: rows (dbt_visitor_id, position). `placed` is the name of a CTE with one row per event of a
stage: dbt_visitor_id, position (1.. in the visitor's order), stage_number, prior_stage_number (the last stage reached before these events,
or 0) and last_stage. A visitor waits for the next stage, and after the last one for the first again.
-#}
{% macro positions_reached(placed) -%}{{ return(adapter.dispatch('positions_reached')(placed)) }}{%- endmacro %}

{#- Finds, for each event, the next event of the following stage. The visitor's path follows these links. -#}
{% macro default__positions_reached(placed) -%}
    select dbt_visitor_id, position
    from (
        with recursive waiting as (
            select dbt_visitor_id, position, stage_number, case when stage_number = last_stage then 1 else stage_number + 1 end as wanted_stage
            from {{ placed }}
            union all
            select dbt_visitor_id, 0, prior_stage_number, case when prior_stage_number = last_stage then 1 else prior_stage_number + 1 end
            from {{ placed }}
            where position = 1
        ),

        asked as (
            select dbt_visitor_id, wanted_stage as stage_number, position, 0 as is_event from waiting
            union all
            select dbt_visitor_id, stage_number, position, 1 as is_event from waiting where position > 0
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
            select dbt_visitor_id, position, next_position from answered where is_event = 0 and next_position is not null
        ),

        reached as (
            select dbt_visitor_id, next_position as position from steps where position = 0
            union all
            select steps.dbt_visitor_id, steps.next_position
            from reached
            inner join steps on reached.dbt_visitor_id = steps.dbt_visitor_id and reached.position = steps.position
        )

        select dbt_visitor_id, position from reached
    ) as way
{%- endmacro %}

{#- BigQuery ends a recursion after 500 steps, and a visitor may take more. So a function walks along the events. Its arguments are the last
    stage of the funnel, the visitor's present stage, and the stages of the events. -#}
{% macro bigquery__positions_reached(placed) -%}
    select ways.dbt_visitor_id, cast(position as int64) as position
    from (
        select
            dbt_visitor_id,
            {{ internal_relation('positions_reached').include(database=false) }}(array_concat(
                [cast(max(last_stage) as float64), cast(max(prior_stage_number) as float64)], array_agg(cast(stage_number as float64) order by position)
            )) as positions
        from {{ placed }}
        group by dbt_visitor_id
    ) as ways
    cross join unnest(ways.positions) as position
{%- endmacro %}

{#- Statements that create the functions that macros call, for the hook that creates the internal tables. -#}
{% macro create_internal_functions() -%}{{ return(adapter.dispatch('create_internal_functions')()) }}{%- endmacro %}
{% macro default__create_internal_functions() -%}{{ return('') }}{%- endmacro %}
{% macro bigquery__create_internal_functions() -%}
    create or replace function {{ internal_relation('positions_reached') }}(stages array<float64>)
    returns array<float64>
    language js
    as """
        const [last, prior, ...events] = stages;
        const positions = [];
        events.reduce((reached, stage, place) => {
            if (stage !== (reached === last ? 1 : reached + 1)) return reached;
            positions.push(place + 1);
            return stage;
        }, prior);
        return positions;
    """;
{%- endmacro %}
