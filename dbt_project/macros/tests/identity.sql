{#- For checks: ids in the edges from which the graph was made. -#}

{#- The two ids that each alias call of a relation joins, in both orders, with the times: the first two of previous_id, user_id and anonymous_id that are
    not null. -#}
{% macro joined_by_calls(relation, condition='true') -%}
    {%- set one, other = 'coalesce(previous_id, user_id)', 'case when previous_id is not null and user_id is not null then user_id else anonymous_id end' -%}
    select {{ one }} as id, {{ other }} as other_id, first_event_at, last_event_at
    from {{ relation }}
    where edge_type = 'alias_call' and {{ one }} <> {{ other }} and {{ condition }}
    union all
    select {{ other }}, {{ one }}, first_event_at, last_event_at
    from {{ relation }}
    where edge_type = 'alias_call' and {{ one }} <> {{ other }} and {{ condition }}
{%- endmacro %}

{#- The distinct values of a column in the window's edges. -#}
{% macro ids_of_window(column) -%}
    select distinct {{ column }} as id
    from {{ internal_relation('identity_edges') }}
    where edge_type = 'identifiers' and {{ column }} is not null and {{ in_window('event_date') }}
{%- endmacro %}

{#- Names of the sources that have several raw tables, as literals. -#}
{% macro sources_of_several_tables() -%}
    {%- set names = [] -%}
    {%- for node in (graph.sources.values() if execute else []) if node.config.meta.get('landing') -%}
        {%- do names.append(node.config.meta.landing.source) -%}
    {%- endfor -%}
    {%- set several = ["''"] -%}
    {%- for name in names | unique if names.count(name) > 1 -%}{%- do several.append(text_literal(name)) -%}{%- endfor -%}
    {{ return(several | join(', ')) }}
{%- endmacro %}
