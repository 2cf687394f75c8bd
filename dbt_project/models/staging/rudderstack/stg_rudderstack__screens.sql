{{ stage_events(
    source('raw', 'rudderstack_screens'), source='rudderstack', event_type='screen',
    columns=rudderstack_columns({'event': 'name'})
) }}
