{{ stage_events(
    source('raw', 'rudderstack_aliases'), source='rudderstack', event_type='alias',
    columns=rudderstack_columns()
) }}
