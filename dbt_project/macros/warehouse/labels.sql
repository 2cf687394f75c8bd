{#- Labels for BigQuery's jobs, as JSON: dbt adds them to each statement (dbt_project.yml, query-comment). Empty on DuckDB. A bill then
    shows which run and which table caused a job. `run_id` is Dagster's, or dbt's own if dbt runs alone. dbt makes the values valid labels.
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
