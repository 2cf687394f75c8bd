{{ config(enabled='mixpanel' in var('sources')) }}

{{ stage_events(
    source('raw', 'mixpanel_events'), 'mixpanel', 'track',
    columns={'event_id': 'insert_id', 'anonymous_id': 'distinct_id', 'timestamp': 'time'}
) }}
