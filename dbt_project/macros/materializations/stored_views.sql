{#-
The config of a view of a frontier model that can be stored. It is a view, or, if the var stored_views names it, a frontier model like its parent.

  date, entity, at, rewrite_from  as of the materialisation `frontier`. The session before the frontier is the parent's row
  unique_by                       columns that name a row
  alias                           the table's name, if it is not the model's
-#}
{% macro storable_view(date, at, unique_by, entity='dbt_visitor_id', rewrite_from='frontier', alias=none) -%}
    {%- set values = {'materialized': 'view', 'date': date, 'storable': true} -%}
    {%- if alias -%}{%- do values.update({'alias': alias}) -%}{%- endif -%}
    {%- if [model.name, model.fqn[1] ~ '/' ~ (alias or model.name)] | select('in', var('stored_views')) | list -%}
        {%- do values.update({
            'materialized': 'frontier', 'entity': entity | trim, 'at': at, 'rewrite_from': rewrite_from, 'unique_by': unique_by}) -%}
    {%- endif -%}
    {{ return(values) }}
{%- endmacro %}
