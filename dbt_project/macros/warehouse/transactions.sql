{#- Runs statements in one transaction: all take effect, or no statement does. `main` writes the model's rows, and its count is reported as rows
    affected. `main` may be none, if there is nothing to write. -#}
{% macro in_transaction(before, main, after) -%}
    {{ return(adapter.dispatch('in_transaction')(before, main, after)) }}
{%- endmacro %}

{#- DuckDB's DDL is transactional too. dbt opens the transaction with the first statement. -#}
{% macro default__in_transaction(before, main, after) -%}
    {%- for sql in before -%}{% call statement('before') %}{{ sql }}{% endcall %}{%- endfor -%}
    {%- set written = 0 -%}
    {%- if main is not none -%}
        {% call statement('write', fetch_result=true) %}{{ main }}{% endcall %}
        {%- set written = load_result('write')['data'][0][0] -%}
    {%- endif -%}
    {%- for sql in after -%}{% call statement('after') %}{{ sql }}{% endcall %}{%- endfor -%}
    {% call noop_statement('main', 'INSERT ' ~ written, 'INSERT', written | string) %}{{ main or '-- nothing to write' }}{% endcall %}
    {% do adapter.commit() %}
{%- endmacro %}

{#- BigQuery's transactions accept no DDL. A script without DDL is one transaction, which an error rolls back. A script that rebuilds a table
    replaces it with one statement. Statements before that one run first, and the rest run in a transaction after it. A model that is rebuilt
    deletes its progress first and notes it again last. So if a run dies in between, the next run rebuilds the model once more. -#}
{% macro bigquery__in_transaction(before, main, after) -%}
    {%- set statements = before + ([main] if main is not none else []) + after -%}
    {%- set making = [] -%}
    {%- for sql in statements -%}
        {%- if sql.lstrip().startswith('create or replace table') -%}{%- do making.append(loop.index0) -%}{%- endif -%}
    {%- endfor -%}
    {%- set last = making[-1] if making else none -%}
    {%- if last is not none -%}
        {%- for sql in statements[:last] -%}{% call statement('before') %}{{ sql }}{% endcall %}{%- endfor -%}
    {%- endif -%}
    {%- set rest = statements if last is none else statements[last + 1:] -%}
    {%- set script = 'begin transaction;\n' ~ rest | join(';\n') ~ ';\ncommit transaction;' if rest else '' -%}
    {%- if last is not none and script -%}
        {% call statement('before') %}{{ statements[last] }}{% endcall %}
    {%- endif -%}
    {% call statement('main') %}{{ script or statements[last] }}{% endcall %}
{%- endmacro %}
