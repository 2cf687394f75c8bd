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
