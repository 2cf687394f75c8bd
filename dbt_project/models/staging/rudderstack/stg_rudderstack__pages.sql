{{ stage_events(
    source('raw', 'rudderstack_pages'), source='rudderstack', event_type='page',
    columns=rudderstack_columns({'event': 'name'})
) }}
