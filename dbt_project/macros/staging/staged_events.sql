{#- All staged rows of the sources in use. Each source is a folder of models/staging whose model stg_<source>__events gives its rows. -#}
{% macro staged_events() -%}
    {%- for source in var('sources') -%}
    select * from {{ ref('stg_' ~ source ~ '__events') }}
    {% if not loop.last %}union all{% endif %}
    {% endfor -%}
{%- endmacro %}
