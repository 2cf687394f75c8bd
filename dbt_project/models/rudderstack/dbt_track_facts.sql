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
    window visitor as (partition by dbt_visitor_id order by {{ event_order() }})
),

-- Rows begin at a session's start, before a frontier too: each has the first track of its session among them.
first_tracks as (
    select dbt_visitor_id, session_sequence_number, visitor_track_number
    from numbered
    where session_start = 1
),

facts as (
    select
        numbered.anonymous_id,
        numbered.timestamp,
        numbered.event_id,
        numbered.event,
        {{ session_id('numbered.session_sequence_number', 'numbered.dbt_visitor_id') }} as session_id,
        numbered.dbt_visitor_id,
        numbered.visitor_track_number - first_tracks.visitor_track_number + 1 as track_sequence_number,
        numbered.event_date
    from numbered
    inner join first_tracks
        on
            numbered.dbt_visitor_id = first_tracks.dbt_visitor_id
            and numbered.session_sequence_number = first_tracks.session_sequence_number
)

select * from facts
