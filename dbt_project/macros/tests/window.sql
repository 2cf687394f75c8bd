{#- Tests look at the run's window only: what a run did not touch was tested when it was. The project gives every test the condition
    "__window__"; here it becomes one on the model's own date column (config.date), or none where the model has none. -#}
{% macro default__get_where_subquery(relation) -%}
    {%- set where = config.get('where', '') -%}
    {%- if where == '__window__' -%}
        {%- set dates = [] -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.alias == relation.identifier and node.schema == relation.schema -%}
            {%- if node.config.get('date') -%}{%- do dates.append(node.config.get('date')) -%}{%- endif -%}
        {%- endfor -%}
        {%- set where = in_window(dates[0]) if dates else '' -%}
    {%- endif -%}
    {%- if where -%}
        {{ return('(select * from ' ~ relation ~ ' where ' ~ where ~ ') as tested') }}
    {%- endif -%}
    {{ return(relation) }}
{%- endmacro %}
