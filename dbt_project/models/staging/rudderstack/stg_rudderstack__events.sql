{{ config(enabled='rudderstack' in var('sources')) }}

with tracks as (
    {{ stage_events(source('raw', 'rudderstack_tracks'), 'rudderstack', 'track', rudderstack_columns()) }}
),

pages as (
    {{ stage_events(source('raw', 'rudderstack_pages'), 'rudderstack', 'page', rudderstack_columns(page_columns())) }}
),

screens as (
    {{ stage_events(source('raw', 'rudderstack_screens'), 'rudderstack', 'screen', rudderstack_columns(page_columns())) }}
),

identifies as (
    {{ stage_events(source('raw', 'rudderstack_identifies'), 'rudderstack', 'identify', rudderstack_columns()) }}
),

aliases as (
    {{ stage_events(source('raw', 'rudderstack_aliases'), 'rudderstack', 'alias', rudderstack_columns()) }}
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
