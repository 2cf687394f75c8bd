{#- The rows that each dbt command adds to monitoring, and a check that people run by hand. -#}

{#- The text of a hook after every dbt command, including failed ones: adds one row per model or seed. `results` is dbt's. -#}
{% macro record_run_results(results) -%}
    {%- if execute and flags.WHICH in ('run', 'build', 'seed') -%}
    {%- set rows = [] -%}
    {%- for result in results if result.node.resource_type in ('model', 'seed') -%}
        {%- set execution = result.timing | selectattr('name', 'equalto', 'execute') | first -%}
        {%- set response = result.adapter_response or {} -%}
        {%- do rows.append('(' ~ [
            text_literal(result.node.name),
            timestamp_literal(execution.started_at if execution else none),
            timestamp_literal(execution.completed_at if execution else none),
            result.execution_time | float,
            text_literal(result.status | string),
            response.get('rows_affected') if response.get('rows_affected') is not none else 'null',
            response.get('bytes_processed') if response.get('bytes_processed') is not none else 'null',
            "date '" ~ window_start() ~ "'",
            "date '" ~ window_end() ~ "'",
            text_literal(var('run_id', invocation_id)),
        ] | join(', ') ~ ')') -%}
    {%- endfor -%}
    {%- if rows -%}
    insert into {{ internal_relation('run_results') }} (
        model_name, run_started_at, run_completed_at, duration_seconds, status, rows_affected, bytes_processed,
        partition_start, partition_end, run_id
    )
    values
    {{ rows | join(',\n    ') }}
    {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{% macro timestamp_literal(value) -%}
    {{ return('null' if value is none else "timestamp '" ~ (value | string | replace('T', ' ') | replace('Z', '') | replace('+00:00', '')) ~ "'") }}
{%- endmacro %}

{#-
dbt run-operation check_nulls --args '{table_name: dbt_session_tracks}'

Counts the nulls of each column of a model's, seed's or source's table, over all of its rows. `columns` limits the
columns. `required` names columns without nulls: the operation fails if one of them has a null.
-#}
{% macro check_nulls(table_name, columns=none, required=[]) -%}
    {%- set found = (graph.nodes.values() | list + graph.sources.values() | list)
        | selectattr('name', 'equalto', table_name) | selectattr('resource_type', 'in', ['model', 'seed', 'source']) | list -%}
    {%- if not found -%}
        {% do exceptions.raise_compiler_error("check_nulls: no model, seed or source is named '" ~ table_name ~ "'.") %}
    {%- endif -%}
    {%- set node = found[0] -%}
    {%- set relation = adapter.get_relation(node.database, node.schema, node.get('identifier') or node.alias) -%}
    {%- if relation is none -%}
        {% do exceptions.raise_compiler_error('check_nulls: ' ~ node.schema ~ '.' ~ table_name ~ ' is not built yet: run a day first.') %}
    {%- endif -%}
    {%- set has = adapter.get_columns_in_relation(relation) | map(attribute='name') | list -%}
    {%- for column in (columns or []) + required if column not in has -%}
        {% do exceptions.raise_compiler_error('check_nulls: ' ~ relation ~ " has no column '" ~ column ~ "'. It has: " ~ has | join(', ') ~ '.') %}
    {%- endfor -%}
    {%- set counted = columns or has -%}
    {%- set counts = [] -%}
    {%- for column in counted + required -%}
        {%- do counts.append('sum(case when ' ~ adapter.quote(column) ~ ' is null then 1 else 0 end)') -%}
    {%- endfor -%}
    {%- set date = node.config.get('date') -%}
    {%- set everything = date ~ ' is null or ' ~ since_ever(date) if date else 'true' -%}
    {%- set row = run_query('select count(*), ' ~ counts | join(', ') ~ ' from ' ~ relation ~ ' where ' ~ everything)[0] -%}
    {% do log(relation ~ ': ' ~ row[0] ~ ' rows', info=true) %}
    {%- set lacking = [] -%}
    {%- for column in counted + required -%}
        {%- set nulls = row[loop.index] or 0 -%}
        {%- if loop.index <= counted | length -%}
            {% do log('  ' ~ column ~ ': ' ~ nulls ~ ' null', info=true) %}
        {%- elif nulls > 0 -%}
            {%- do lacking.append(column ~ ' (' ~ nulls ~ ')') -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if lacking -%}
        {% do exceptions.raise_compiler_error('check_nulls: ' ~ relation ~ ' has nulls in ' ~ lacking | join(', ') ~ '.') %}
    {%- endif -%}
{%- endmacro %}
