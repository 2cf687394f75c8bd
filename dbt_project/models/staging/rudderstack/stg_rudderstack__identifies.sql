{{ stage_events(
    source('raw', 'rudderstack_identifies'), source='rudderstack', event_type='identify',
    columns=rudderstack_columns()
) }}
