{{ config(enabled='measure_js' in var('sources')) }}

{{ stage_events(
    source('raw', 'measure_js_events'), 'measure_js', 'track',
    columns={'anonymous_id': 'client_id', 'event': 'event_name'},
    expressions={
        'event_id': "coalesce(nullif(event_id, ''), derived_event_id)",
        'event_type': "case when event_name = 'pageview' then 'page' else 'track' end",
        'device': nested_text(source('raw', 'measure_js_events'), 'device', 'type'),
        'os': nested_text(source('raw', 'measure_js_events'), 'device', 'os'),
        'country': 'coalesce(' ~ nested_text(source('raw', 'measure_js_events'), 'location', 'country') ~ ', '
            ~ nested_text(source('raw', 'measure_js_events'), 'location', 'country_code') ~ ')',
    },
    kept=['device', 'location'],
    raw_rows=with_derived_event_id(source('raw', 'measure_js_events'), at='timestamp')
) }}
