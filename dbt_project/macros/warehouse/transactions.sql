{#- Statements as one: all of them or none. `main` writes the model's rows, and its count is reported as rows affected; none when there
    is nothing to write. -#}
{% macro run_atomically(before, main, after) -%}
    {{ return(adapter.dispatch('run_atomically')(before, main, after)) }}
{%- endmacro %}

{#- DuckDB's DDL is transactional too. dbt opens the transaction with the first statement. -#}
{% macro default__run_atomically(before, main, after) -%}
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

{#- BigQuery's transactions take no DDL. A script with none is one transaction, which an error rolls back. Where tables are made anew, each
    is replaced by one statement, what comes before runs before, and the rest is a transaction after: a model that is made anew has taken its
    progress back first and notes it again last, so a run that dies in between makes it anew once more. -#}
{% macro bigquery__run_atomically(before, main, after) -%}
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
