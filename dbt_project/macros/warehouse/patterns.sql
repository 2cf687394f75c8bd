{#- Regular expressions (RE2 on both warehouses), without regard to case. -#}

{#- Whether the pattern (an expression) matches a whole text. -#}
{% macro matches_whole(text, pattern) -%}{{ return(adapter.dispatch('matches_whole')(text, pattern)) }}{%- endmacro %}
{% macro default__matches_whole(text, pattern) -%}regexp_full_match({{ text }}, {{ pattern }}, 'is'){%- endmacro %}
{% macro bigquery__matches_whole(text, pattern) -%}regexp_contains({{ text }}, concat('(?is)^(?:', {{ pattern }}, ')$')){%- endmacro %}

{#- Whether a text contains a match of the pattern, which becomes a literal. DuckDB compiles a literal once, but an expression for each row. -#}
{% macro pattern_found(text, pattern) -%}{{ return(adapter.dispatch('pattern_found')(text, pattern)) }}{%- endmacro %}
{% macro default__pattern_found(text, pattern) -%}regexp_matches({{ text }}, {{ text_literal(pattern) }}, 'is'){%- endmacro %}
{% macro bigquery__pattern_found(text, pattern) -%}regexp_contains({{ text }}, {{ text_literal('(?is)' ~ pattern) }}){%- endmacro %}

{#- Whether the text is a regular expression that the warehouse accepts. -#}
{% macro is_pattern(text) -%}{{ return(adapter.dispatch('is_pattern')(text)) }}{%- endmacro %}
{% macro default__is_pattern(text) -%}(try(regexp_matches('', {{ text }})) is not null){%- endmacro %}
{% macro bigquery__is_pattern(text) -%}(safe.regexp_contains('', {{ text }}) is not null){%- endmacro %}
