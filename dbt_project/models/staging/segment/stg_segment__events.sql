{{ config(enabled='segment' in var('sources')) }}

with tracks as (
    {{ stage_events(source('raw', 'segment_tracks'), 'segment', 'track', rudderstack_columns()) }}
),

pages as (
    {{ stage_events(source('raw', 'segment_pages'), 'segment', 'page', rudderstack_columns(page_columns())) }}
),

screens as (
    {{ stage_events(source('raw', 'segment_screens'), 'segment', 'screen', rudderstack_columns(page_columns())) }}
),

identifies as (
    {{ stage_events(source('raw', 'segment_identifies'), 'segment', 'identify', rudderstack_columns()) }}
),

aliases as (
    {{ stage_events(source('raw', 'segment_aliases'), 'segment', 'alias', rudderstack_columns()) }}
),

staged as (
    select * from tracks
    union all
    select * from pages
    union all
    select * from screens
    union all
    select * from identifies
    union all
    select * from aliases
)

select * from staged
