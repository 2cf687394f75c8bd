{#- What marks each statement that dbt sends, as JSON, for BigQuery's jobs (dbt_project.yml, query-comment); nothing on DuckDB. A bill then
    tells which run and which table asked: `run_id` is Dagster's, or dbt's own where dbt runs alone. dbt makes the values valid labels.
    There is no adapter here to dispatch by. -#}
{% macro job_labels(node) -%}
    {%- if target.type == 'bigquery' -%}
        {%- set labels = {'run_id': var('run_id', invocation_id)} -%}
        {%- if node and node.resource_type in ('model', 'seed') -%}
            {%- do labels.update({'asset': node.config.schema ~ '.' ~ node.name}) -%}
        {%- elif node and node.resource_type == 'test' -%}
            {%- do labels.update({'check': node.name}) -%}
        {%- endif -%}
        {{ return(tojson(labels)) }}
    {%- endif -%}
    {{ return('') }}
{%- endmacro %}
