{{ config(enabled='mixpanel' in var('sources')) }}

{%- set raw_table = source('raw', 'mixpanel_events') %}

{{ stage_events(
    raw_table, 'mixpanel', 'track',
    columns={
        'event_id': 'insert_id', 'timestamp': 'time', 'event_sequence': 'mp_processing_time_ms', 'url': 'current_url',
    },
    expressions={
        'anonymous_id': mixpanel_device(raw_table),
        'user_id': mixpanel_user(raw_table),
        'country': "coalesce(nullif(" ~ raw_text(raw_table, 'country') ~ ", ''), " ~ raw_text(raw_table, 'mp_country_code') ~ ")",
    },
    copy_key=mixpanel_copy_key(raw_table)
) }}
