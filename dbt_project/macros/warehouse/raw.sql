{#- How raw tables differ between warehouses. -#}

{#- Columns of a raw table that the contract does not name, as one JSON object. Landing has gathered them on DuckDB. -#}
{% macro raw_properties(available) -%}{{ return(adapter.dispatch('raw_properties')(available)) }}{%- endmacro %}
{% macro default__raw_properties(available) -%}
    {{ return('properties' if 'properties' in available else 'cast(null as ' ~ type_json() ~ ')') }}
{%- endmacro %}

{#- Files and rows that landing could not read, as rejected events of no day. Loaders that write tables themselves have none. -#}
{% macro unreadable_rows() -%}{{ return(adapter.dispatch('unreadable_rows')()) }}{%- endmacro %}
{% macro default__unreadable_rows() -%}
    select
        cast(null as {{ dbt.type_string() }}) as event_id,
        source,
        cast(null as {{ dbt.type_string() }}) as event_type,
        'unreadable' as reason,
        cast(null as date) as event_date,
        {{ null_timestamp() }} as timestamp,
        {{ null_timestamp() }} as received_at,
        {{ row_as_json('unreadable') }} as raw
    from (
        select source, table_name, source_file, source_line, error, content
        from {{ source('raw', 'landing_rejects') }}
        where source in ('{{ var('sources') | join("', '") }}')
    ) as unreadable
{%- endmacro %}
