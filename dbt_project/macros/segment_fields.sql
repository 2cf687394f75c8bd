{#- A field of Segment's nested records: a column of core.events of that name, else a key of its properties as text. -#}
{% macro event_field(field, events='events') -%}
    {%- if field in event_columns() -%}{{ return(events ~ '.' ~ field) }}{%- endif -%}
    {{ return(json_text(events ~ '.properties', field)) }}
{%- endmacro %}

{#- The structs of segment_sessions: prefix first_ or last_ of a page's fields, and a record's. -#}
{% macro page_values(prefix, page) -%}
    {%- set fields = {} -%}
    {%- for field in var('segment_page_fields') -%}{%- do fields.update({prefix ~ field: page ~ '.' ~ field}) -%}{%- endfor -%}
    {{ return(struct_of(fields)) }}
{%- endmacro %}

{#- A page's name is no property: the column event holds it. What a record has anyway stays, whatever fields are asked for. -#}
{% macro record_struct(name_column, fields) -%}
    {%- set columns = {'event_id': 'tracks.event_id', name_column: 'tracks.event'} -%}
    {%- for field in fields if field not in ['event_id', name_column] -%}{%- do columns.update({field: event_field(field)}) -%}{%- endfor -%}
    {{ return(struct_of(columns)) }}
{%- endmacro %}
