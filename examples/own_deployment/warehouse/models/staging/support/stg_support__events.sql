{{ config(enabled='support' in var('sources')) }}

{{ stage_events(
    source('raw', 'support_tickets'), 'support', 'track',
    columns={'event_id': 'ticket_id', 'user_id': 'customer_id', 'timestamp': 'opened_at'},
    expressions={'event': "'ticket_opened'"},
    kept=['channel']
) }}
