{#- How raw tables differ between warehouses. -#}

{#- Columns of a raw table that have no canonical name, as one JSON object: those that its yml does not declare (landing has gathered
    them on DuckDB) and the declared ones in `kept`. -#}
{% macro raw_properties(available, kept=[]) -%}{{ return(adapter.dispatch('raw_properties')(available, kept)) }}{%- endmacro %}
{% macro default__raw_properties(available, kept) -%}
    {%- set others = 'properties' if 'properties' in available else 'cast(null as ' ~ type_json() ~ ')' -%}
    {%- if not kept -%}{{ return(others) }}{%- endif -%}
    {%- set pairs = [] -%}
    {%- for column in kept if column in available -%}{%- do pairs.append("'" ~ column ~ "', " ~ column) -%}{%- endfor -%}
    {{ return("json_merge_patch(json_object(" ~ pairs | join(', ') ~ "), coalesce(" ~ others ~ ", '{}'))") }}
{%- endmacro %}

{#- A field of a nested raw column, as text. Landing keeps nested columns as JSON on DuckDB. -#}
{% macro nested_text(column, field) -%}{{ return(adapter.dispatch('nested_text')(column, field)) }}{%- endmacro %}
{% macro default__nested_text(column, field) -%}{{ return(json_text(column, field)) }}{%- endmacro %}

{#- A digest of what a raw row says, without where it was read. -#}
{% macro content_md5(raw_table) -%}{{ return(adapter.dispatch('content_md5')(raw_table)) }}{%- endmacro %}
{% macro default__content_md5(raw_table) -%}
    {%- set columns = raw_columns(raw_table) | reject('in', ['source_file', 'source_row']) | list or ["''"] -%}
    {{ return("md5(cast(to_json(row(" ~ columns | join(', ') ~ ")) as varchar))") }}
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

{#- The text of a query (dbt source freshness): when rows last came into a raw table. A table that never got any is not late. -#}
{% macro newest_arrival(raw_table) -%}{{ return(adapter.dispatch('newest_arrival')(raw_table)) }}{%- endmacro %}
{% macro default__newest_arrival(raw_table) -%}
    select coalesce(max(landed_at), cast(current_timestamp as timestamp))
    from {{ raw_table.include(identifier=false) }}.landed_files
    where source || '_' || table_name = '{{ raw_table.identifier }}'
{%- endmacro %}
