{#- Tables that the materialisations keep for themselves, as the text of a hook that runs before every dbt run. -#}
{% macro create_internal_tables() -%}
    create schema if not exists {{ frontier_progress_relation().without_identifier() }};
    create table if not exists {{ frontier_progress_relation() }} (
        model {{ dbt.type_string() }},
        sequence {{ type_bigint() }},
        generation {{ dbt.type_string() }},
        parents_generation {{ dbt.type_string() }},
        fingerprint {{ dbt.type_string() }}
    )
{%- endmacro %}
