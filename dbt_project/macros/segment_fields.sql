{#- A field of Segment's nested records: a column of core.events of that name, else a key of its properties as text. -#}
{% macro event_field(field, events='events') -%}
    {%- if field in event_columns() -%}{{ return(events ~ '.' ~ field) }}{%- endif -%}
    {{ return(json_text(events ~ '.properties', field)) }}
{%- endmacro %}

{% macro is_text_field(field) -%}{{ return(field not in event_columns() or field in event_attributes()) }}{%- endmacro %}

{#- The fields that settings ask for in tracks, pages and screens of segment_sessions, each once. A call has them as field_<name>. -#}
{% macro record_fields() -%}
    {{ return((var('segment_track_fields') + var('segment_page_fields')) | unique | list) }}
{%- endmacro %}

{#- A record of a call: the columns that every record has, and the given fields. A page's name is not a property: the column event holds it. -#}
{% macro fixed_fields(name_column) -%}{{ return({'event_id': 'event_id', name_column: 'event'}) }}{%- endmacro %}

{#- The structs of segment_sessions: the fields of a page with the prefix first_ or last_, and a record of a call named element. -#}
{% macro page_values(prefix, page) -%}
    {%- set fixed = fixed_fields('name') -%}
    {%- set fields = {} -%}
    {%- for field in var('segment_page_fields') -%}{%- do fields.update({prefix ~ field: page ~ '.' ~ fixed.get(field, 'field_' ~ field)}) -%}{%- endfor -%}
    {{ return(struct_of(fields)) }}
{%- endmacro %}

{% macro record_struct(name_column, fields) -%}
    {%- set fixed = fixed_fields(name_column) -%}
    {%- set columns = {} -%}
    {%- for field in fixed.keys() | list + fields -%}{%- do columns.update({field: 'element.' ~ fixed.get(field, 'field_' ~ field)}) -%}{%- endfor -%}
    {{ return(struct_of(columns)) }}
{%- endmacro %}
