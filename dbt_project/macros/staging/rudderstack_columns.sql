{#- Canonical column -> raw column(s) of the tables that RudderStack's and Segment's warehouse loaders write. `own` are the columns of one
    table: an identify call may have a trait title, which is not a page's title. -#}
{% macro rudderstack_columns(own={}) -%}
    {%- set columns = {
        'event_id': 'id',
        'url': 'context_page_url',
        'path': 'context_page_path',
        'title': 'context_page_title',
        'referrer': 'context_page_referrer',
        'search': 'context_page_search',
        'utm_source': 'context_campaign_source',
        'utm_medium': 'context_campaign_medium',
        'utm_campaign': 'context_campaign_name',
        'utm_content': 'context_campaign_content',
        'utm_term': 'context_campaign_term',
        'country': 'context_location_country',
        'device': 'context_device_type',
        'os': 'context_os_name',
        'user_agent': ['context_user_agent', 'context_useragent'],
        'ip': 'context_ip',
        'vendor_session_id': 'context_session_id',
    } -%}
    {%- do columns.update(own) -%}
    {{ return(columns) }}
{%- endmacro %}

{#- Page and screen calls have own columns for values that other calls have in their context. -#}
{% macro page_columns() -%}
    {{ return({
        'event': 'name',
        'url': ['url', 'context_page_url'],
        'path': ['path', 'context_page_path'],
        'title': ['title', 'context_page_title'],
        'referrer': ['referrer', 'context_page_referrer'],
        'search': ['search', 'context_page_search'],
    }) }}
{%- endmacro %}

{#- The tables of one of these loaders as staged events. Each table is named in a call of source(), by which dbt knows what the model reads. -#}
{% macro stage_loader_tables(source_name) -%}
    {%- for table, event_type, own in [
        ('tracks', 'track', {}), ('pages', 'page', page_columns()), ('screens', 'screen', page_columns()),
        ('identifies', 'identify', {}), ('aliases', 'alias', {}),
    ] -%}
    select * from {{ stage_events(source('raw', source_name ~ '_' ~ table), source_name, event_type, rudderstack_columns(own)) }} as {{ table }}
    {{ 'union all' if not loop.last }}
    {% endfor -%}
{%- endmacro %}
