{{ config(materialized='frontier', entity='dbt_visitor_id', at='timestamp', date='event_date') }}

with tracks as (
    select *, case when {{ is_session_start() }} then 1 else 0 end as session_start
    from {{ from_frontier(ref('dbt_mapped_tracks')) }} as mapped
),

-- One sort serves all: a window per session would sort everything again.
numbered as (
    select
        *,
        sessions_before + sum(session_start) over (visitor rows between unbounded preceding and current row) as session_sequence_number,
        row_number() over visitor as visitor_track_number
    from tracks
    window visitor as (partition by dbt_visitor_id order by timestamp, event_id)
),

facts as (
    select
        anonymous_id,
        timestamp,
        event_id,
        event,
        {{ session_id() }} as session_id,
        dbt_visitor_id,
        row_number() over (
            partition by dbt_visitor_id, session_sequence_number order by visitor_track_number
        ) as track_sequence_number,
        event_date
    from numbered
)

select * from facts
