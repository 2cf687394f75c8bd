{#- The staging models of each source. A source of one's own is a folder of staging models and a line here. -#}
{% macro staging_models() -%}
    {{ return({
        'rudderstack': [
            'stg_rudderstack__tracks', 'stg_rudderstack__pages', 'stg_rudderstack__screens',
            'stg_rudderstack__identifies', 'stg_rudderstack__aliases',
        ],
    }) }}
{%- endmacro %}

{#- All staged rows of the sources in use. -#}
{% macro staged_events() -%}
    {%- set models = [] -%}
    {%- for source in var('sources') -%}
        {%- if source not in staging_models() -%}
            {% do exceptions.raise_compiler_error(
                "Unknown source '" ~ source ~ "'. SESSIONIZATION_SOURCES knows: " ~ staging_models().keys() | join(', ')) %}
        {%- endif -%}
        {%- do models.extend(staging_models()[source]) -%}
    {%- endfor -%}
    {%- for model_name in models %}
    select * from {{ ref(model_name) }}
    {% if not loop.last %}union all{% endif -%}
    {%- endfor -%}
{%- endmacro %}
