{#- Tests look at the run's window only: what a run did not touch was tested when it was. The project gives every test the condition
    "__window__"; here it becomes one on the model's own date column (config.date), or none where the model has none. -#}
{% macro default__get_where_subquery(relation) -%}
    {%- set where = config.get('where', '') -%}
    {%- if where == '__window__' -%}{%- set where = window_of(relation) -%}{%- endif -%}
    {%- if where -%}
        {{ return('(select * from ' ~ relation ~ ' where ' ~ where ~ ') as tested') }}
    {%- endif -%}
    {{ return(relation) }}
{%- endmacro %}

{#- The condition that a model's rows lie in the window; empty where it has no date. -#}
{% macro window_of(relation) -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.alias == relation.identifier and node.schema == relation.schema -%}
        {%- if node.config.get('date') -%}{{ return(in_window_of(node)) }}{%- endif -%}
    {%- endfor -%}
    {{ return('') }}
{%- endmacro %}

{#- The date may be an expression: the column that storage is divided by is then bounded besides. -#}
{% macro in_window_of(node) -%}
    {%- set column = partition_column(node.config) -%}
    {%- set near = near_window(column) ~ ' and ' if column and column != node.config.date else '' -%}
    {{ return(near ~ in_window(node.config.date)) }}
{%- endmacro %}
