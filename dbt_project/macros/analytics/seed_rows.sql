{#- Seed rows as literals in a model's text: regular expressions and keys. Warehouses read these quickly, or at all, only as literals. -#}

{#- Rows of internal_traffic: column_name and pattern. -#}
{% macro internal_traffic_rows() -%}{{ return(seed_rows('internal_traffic', ['column_name', 'pattern'])) }}{%- endmacro %}

{#- Rows of channel_rules, in their order. -#}
{% macro channel_rule_rows() -%}
    {{ return(seed_rows('channel_rules', [
        'rule_order', 'channel_group', 'type_pattern', 'source_pattern', 'medium_pattern', 'campaign_pattern',
    ])) }}
{%- endmacro %}

{#- Rows of ignored_referrers: host. -#}
{% macro ignored_referrer_rows() -%}{{ return(seed_rows('ignored_referrers', ['host'])) }}{%- endmacro %}

{#- The properties that conversions take their value from. -#}
{% macro conversion_properties() -%}
    {%- set properties = [] -%}
    {%- for row in seed_rows('conversions', ['value_property']) if row.value_property and row.value_property not in properties -%}
        {%- do properties.append(row.value_property) -%}
    {%- endfor -%}
    {{ return(properties) }}
{%- endmacro %}

{#- The present rows of a seed's table, in the order of the columns. If the table does not exist, a compile gets no rows and a run fails. -#}
{% macro seed_rows(name, columns) -%}
    {%- set rows = [] -%}
    {%- if execute and not is_text_only() -%}
        {%- set node = graph.nodes.values() | selectattr('resource_type', 'equalto', 'seed') | selectattr('name', 'equalto', name) | first -%}
        {%- set relation = adapter.get_relation(database=node.database, schema=node.schema, identifier=node.alias) -%}
        {%- if relation is not none -%}
            {%- set ordered = columns | join(', ') -%}
            {%- for row in run_query('select ' ~ ordered ~ ' from ' ~ relation ~ ' order by ' ~ ordered) -%}
                {%- do rows.append(dict(zip(columns, row))) -%}
            {%- endfor -%}
        {%- elif flags.WHICH in ('run', 'build') -%}
            {% do exceptions.raise_compiler_error('The seed ' ~ name ~ ' has no table yet: run it with, or before, ' ~ model.name ~ '.') %}
        {%- endif -%}
    {%- endif -%}
    {{ return(rows) }}
{%- endmacro %}
