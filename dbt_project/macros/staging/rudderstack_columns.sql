{#- Canonical column -> raw column(s) of the tables that RudderStack's and Segment's warehouse loaders write. Page and screen calls have
    columns of their own for what other calls know from their context. -#}
{% macro rudderstack_columns(own={}) -%}
    {%- set columns = {
        'event_id': 'id',
        'url': ['url', 'context_page_url'],
        'path': ['path', 'context_page_path'],
        'title': ['title', 'context_page_title'],
        'referrer': ['referrer', 'context_page_referrer'],
        'utm_source': 'context_campaign_source',
        'utm_medium': 'context_campaign_medium',
        'utm_campaign': 'context_campaign_name',
        'utm_content': 'context_campaign_content',
        'utm_term': 'context_campaign_term',
        'country': 'context_location_country',
        'device': 'context_device_type',
        'os': 'context_os_name',
    } -%}
    {%- do columns.update(own) -%}
    {{ return(columns) }}
{%- endmacro %}
