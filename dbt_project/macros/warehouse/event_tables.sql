{#- Raw tables of one event each. RudderStack's and Segment's loaders write the name of a track call's event into `tracks`. They write its
    properties, one column each, into a table with the event's name. Only loaders of BigQuery do so; files have both together. -#}

{#- The event tables that raw_event_tables names: a list of dicts of source, name, relation, columns (name -> type) and load_time (see
    load_time_of). Empty while a project is parsed. -#}
{% macro event_tables() -%}{{ return(adapter.dispatch('event_tables')()) }}{%- endmacro %}
{% macro default__event_tables() -%}{{ return([]) }}{%- endmacro %}
{% macro bigquery__event_tables() -%}
    {%- set found = [] -%}
    {%- for source, names in var('raw_event_tables', {}).items() if execute and source in var('sources') -%}
        {%- set tracks = tracks_source(source) -%}
        {%- set described = columns_by_table(tracks, names) if not is_text_only() -%}
        {%- for name in names -%}
            {%- set relation = api.Relation.create(database=tracks.database, schema=tracks.schema, identifier=name) -%}
            {%- set table = described[name] if described else {'columns': {'id': 'STRING', 'timestamp': 'TIMESTAMP'}, 'divided_by': []} -%}
            {%- do require_event_table(source, relation, table.columns, tracks.columns) -%}
            {%- do found.append({
                'source': source, 'name': name, 'relation': relation, 'columns': table.columns,
                'load_time': load_time_of(source, table.columns, table.divided_by),
            }) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{#- The rows of the event tables (only of one source, if given): the event (event_id, and event_date by the rules of stage_events) and its
    properties. -#}
{% macro event_table_rows(source=none) -%}
    {%- for table in event_tables() if source in (none, table.source) -%}
    select
        event_id, source, event_table, properties, timestamp, received_at, raw_loaded_at, is_from_the_future,
        {{ local_date('case when ' ~ is_dated_by_arrival() ~ ' then ' ~ arrived_at() ~ ' else timestamp end') }} as event_date
    from (
        select *, {{ is_from_the_future() }} as is_from_the_future
        from (
            {{ event_table_as_staged(table) }}
        ) as renamed
    ) as judged
    {{ 'union all' if not loop.last }}
    {% endfor -%}
{%- endmacro %}

{#- BigQuery: an event table's rows under the names of staged events. Its columns are those that `tracks` declares, and the properties. Each
    column is written with its table, because sqlglot cannot find the lineage of an unknown table otherwise. -#}
{% macro event_table_as_staged(table) -%}
    {%- set declared = tracks_source(table.source).columns -%}
    {%- set staged = {} -%}
    {%- for name in ['id', 'timestamp', 'received_at'] if name in table.columns -%}
        {%- do staged.update({name: as_declared('raw_rows.' ~ adapter.quote(name), table.columns[name], declared[name].data_type)}) -%}
    {%- endfor -%}
    select
        {{ namespaced(table.source, "nullif(" ~ staged.id ~ ", '')") }} as event_id,
        {{ text_literal(table.source) }} as source,
        {{ text_literal(table.name) }} as event_table,
        {{ columns_as_json(table.columns | reject('in', declared) | list, 'raw_rows.') }} as properties,
        {{ staged.timestamp }} as timestamp,
        {{ staged.received_at or null_timestamp() }} as received_at,
        {{ 'raw_rows.' ~ table.load_time if table.load_time else null_timestamp() }} as raw_loaded_at
    from {{ table.relation }} as raw_rows
{%- endmacro %}

{#- The declared table of a source's track calls. -#}
{% macro tracks_source(source) -%}
    {{ return(raw_tables_of(source) | selectattr('config.meta.landing.call', 'equalto', 'track') | first) }}
{%- endmacro %}

{#- BigQuery, by name of a table in the dataset of a declared one: columns (name -> type) and divided_by (columns of time that storage is divided
    by). One query for all tables. -#}
{% macro columns_by_table(beside, names) -%}
    {%- set described = {} -%}
    {%- for name in names -%}{%- do described.update({name: {'columns': {}, 'divided_by': []}}) -%}{%- endfor -%}
    {%- set sql %}
    select table_name, column_name, data_type, is_partitioning_column
    from {{ api.Relation.create(database=beside.database, schema=beside.schema) }}.INFORMATION_SCHEMA.COLUMNS
    where table_name in ({% for name in names %}{{ text_literal(name) }}{{ ', ' if not loop.last }}{% endfor %})
    order by table_name, ordinal_position
    {% endset -%}
    {%- for row in run_query(sql) -%}
        {%- set table = described[row.table_name] -%}
        {#- Pseudo columns are not columns of the table. -#}
        {%- if not row.column_name.startswith('_PARTITION') -%}
            {%- do table.columns.update({row.column_name | lower: row.data_type | upper}) -%}
        {%- endif -%}
        {%- if row.is_partitioning_column == 'YES' and row.data_type == 'TIMESTAMP' -%}
            {%- do table.divided_by.append(row.column_name) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(described) }}
{%- endmacro %}

{#- BigQuery: fails if the table does not exist, or lacks a column that is needed to find a row's event. -#}
{% macro require_event_table(source, relation, columns, declared) -%}
    {%- set problems = [] -%}
    {%- for name in ['id', 'timestamp', 'received_at'] -%}
        {%- if name not in columns -%}
            {%- do problems.append("it has no column '" ~ name ~ "'") if name != 'received_at' -%}
        {%- elif as_declared(name, columns[name], declared[name].data_type) is none -%}
            {%- set wanted = {'VARCHAR': 'STRING'}.get(declared[name].data_type, declared[name].data_type) -%}
            {%- do problems.append("its '" ~ name ~ "' is " ~ columns[name] ~ ', not ' ~ wanted) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if not columns -%}{%- set problems = ['there is no such table'] -%}{%- endif -%}
    {%- if problems -%}
        {% do exceptions.raise_compiler_error(
            'SESSIONIZATION_RAW_EVENT_TABLES names ' ~ relation.identifier ~ ' of source ' ~ source ~ ', the raw table ' ~ relation ~ ': '
            ~ problems | join(', and ') ~ '. Correct the name, or leave it out; a loader makes the table with the first event of that name.'
        ) %}
    {%- endif -%}
{%- endmacro %}
