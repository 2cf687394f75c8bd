{#- Texts, where warehouses differ. -#}

{#- Text without the blanks around it. DuckDB trims slowly, so it first looks for a space. Landing has removed all other blanks. -#}
{% macro without_blanks(text) -%}{{ return(adapter.dispatch('without_blanks')(text)) }}{%- endmacro %}
{% macro default__without_blanks(text) -%}case when contains({{ text }}, ' ') then trim({{ text }}) else {{ text }} end{%- endmacro %}
{% macro bigquery__without_blanks(text) -%}trim({{ text }}){%- endmacro %}

{#- A text as a literal; null for none. -#}
{% macro text_literal(text) -%}{{ return('null' if text is none else adapter.dispatch('text_literal')(text)) }}{%- endmacro %}
{% macro default__text_literal(text) -%}{{ return("'" ~ text | replace("'", "''") ~ "'") }}{%- endmacro %}
{#- On BigQuery a backslash begins an escape, and a literal ends with its line. -#}
{% macro bigquery__text_literal(text) -%}
    {{ return("'" ~ text | replace('\\', '\\\\') | replace("'", "\\'") | replace('\n', '\\n') ~ "'") }}
{%- endmacro %}
