{{ stage_events(
    source('raw', 'rudderstack_tracks'), source='rudderstack', event_type='track',
    columns=rudderstack_columns({'event': 'event'})
) }}
