{#- Raw tables, where warehouses differ. -#}

{#- The rows of a raw table, for staging, with one more expression if given. On BigQuery they also have raw_loaded_at: see there. -#}
{% macro raw_rows_of(raw_table, more=none) -%}{{ return(adapter.dispatch('raw_rows_of')(raw_table, more)) }}{%- endmacro %}
{% macro default__raw_rows_of(raw_table, more) -%}{{ return('select *' ~ (', ' ~ more if more else '') ~ ' from ' ~ raw_table) }}{%- endmacro %}
{#- A loader creates a table with the first call of its kind. A kind that never came has no table and no rows. The table has another name than its columns
    may have: `pages` would be the whole row. -#}
{% macro bigquery__raw_rows_of(raw_table, more) -%}
    {%- set declared = raw_source(raw_table).columns if execute else {} -%}
    {%- set available = loaded_columns(raw_table, declared) -%}
    {%- if not available -%}{{ return('select ' ~ null_timestamp() ~ ' as raw_loaded_at from (select 1 as one) as nothing where false') }}{%- endif -%}
    {%- set names = [] -%}
    {%- for column in available -%}
        {%- set name = column.name | lower -%}
        {%- set quoted = adapter.quote(name) -%}
        {%- do names.append(
            raw_value(quoted, column.dtype | upper, declared[name]) ~ ' as ' ~ quoted if name in declared else quoted) -%}
    {%- endfor -%}
    {{ return(
        'select ' ~ names | join(', ') ~ ', ' ~ ('loaded_at' if is_text_only() else load_time_column(raw_table) or null_timestamp())
        ~ ' as raw_loaded_at' ~ (', ' ~ more if more else '') ~ ' from ' ~ raw_table ~ ' as raw_rows'
    ) }}
{%- endmacro %}

{#- BigQuery: the columns of a loader's table, each with name and dtype, checked. If no warehouse is asked: the declared columns, with types that show
    how a value is converted. -#}
{% macro loaded_columns(raw_table, declared) -%}
    {%- if not execute -%}{{ return([]) }}{%- endif -%}
    {%- if is_text_only() -%}
        {%- set columns = [] -%}
        {%- for name, column in declared.items() -%}
            {%- do columns.append({'name': name, 'dtype': 'INT64' if column.data_type == 'TIMESTAMP' else 'STRING'}) -%}
        {%- endfor -%}
        {{ return(columns) }}
    {%- endif -%}
    {%- set columns = adapter.get_columns_in_relation(raw_table) -%}
    {%- if columns -%}{%- do require_raw_columns(raw_table, columns) -%}{%- endif -%}
    {{ return(columns) }}
{%- endmacro %}

{#- When the row came into the raw table, if storage is divided by this time, so that storage can skip rows that cannot belong to the window; else null. -#}
{% macro raw_loaded_at() -%}{{ return(adapter.dispatch('raw_loaded_at')()) }}{%- endmacro %}
{% macro default__raw_loaded_at() -%}{{ return(null_timestamp()) }}{%- endmacro %}
{% macro bigquery__raw_loaded_at() -%}{{ return('raw_loaded_at') }}{%- endmacro %}

{#- When a staged row arrived: when it was received, or, if nothing noted that, when it was loaded. -#}
{% macro arrived_at() -%}{{ return(adapter.dispatch('arrived_at')()) }}{%- endmacro %}
{% macro default__arrived_at() -%}{{ return('received_at') }}{%- endmacro %}
{% macro bigquery__arrived_at() -%}{{ return('coalesce(received_at, raw_loaded_at)') }}{%- endmacro %}

{#- Whether staged rows lie in partitions that the window's days read: from 2 days before a row's day to max_lateness_days after it, or on a
    date of replayed_loads, on which history was loaded. The condition is the same for every run, so a rebuild finds the rows that the days found. -#}
{% macro loaded_in_time() -%}{{ return(adapter.dispatch('loaded_in_time')()) }}{%- endmacro %}
{% macro default__loaded_in_time() -%}{{ return('true') }}{%- endmacro %}
{% macro bigquery__loaded_in_time() -%}
    {%- set days = var('max_lateness_days') -%}
    (
        raw_loaded_at is null
        or (raw_loaded_at >= {{ start_of_date(window_start(), -3) }} and raw_loaded_at < {{ start_of_date(window_end(), days + 2) }})
        {% for date in var('replayed_loads') if date | string >= shifted(window_start(), -3) -%}
        or (raw_loaded_at >= {{ start_of_date(date | string, 0) }} and raw_loaded_at < {{ start_of_date(date | string, 1) }})
        {% endfor -%}
    )
    and (raw_loaded_at is null or not {{ is_out_of_reach() }})
    {#- A row that is dated by its arrival has a later time than this bound. So the bound leaves nothing out, but limits tables that are divided by it. -#}
    and (timestamp is null or timestamp >= {{ start_of_date(window_start(), -1) }})
{%- endmacro %}

{#- Whether a row lies in a partition that the run of its day does not read. It came more than max_lateness_days after its day, or a device's clock was wrong.
    No row comes more than 2 days before its day: a clock may be one day ahead, and the timezone can add one. -#}
{% macro is_out_of_reach() -%}
    (
        (
            {{ days_between('event_date', local_date('raw_loaded_at')) }} > {{ var('max_lateness_days') }}
            or {{ days_between('event_date', local_date('raw_loaded_at')) }} < -2
        )
        {% for date in var('replayed_loads') -%}and {{ local_date('raw_loaded_at') }} <> date '{{ date }}'{% endfor %}
    )
{%- endmacro %}

{#- BigQuery: whether a source's staged rows came in the window's days. If a device's clock divides a table, today's rows may be in any of its
    partitions, so all are read. -#}
{% macro came_in_window(source) -%}
    {%- set at = arrived_at() if is_divided_by_device_clock(source) else 'raw_loaded_at' -%}
    {{ at }} >= {{ start_of_date(window_start(), 0) }} and {{ at }} < {{ start_of_date(window_end(), 0) }}
{%- endmacro %}

{% macro is_divided_by_device_clock(source) -%}
    {%- if not execute or is_text_only() -%}{{ return(false) }}{%- endif -%}
    {%- set raw_tables = raw_tables_of(source) -%}
    {%- set at = raw_tables[0].config.meta.landing.get('at', 'timestamp') -%}
    {%- set found = event_tables() | selectattr('source', 'equalto', source) | map(attribute='load_time') | list -%}
    {%- for table in columns_by_table(raw_tables[0], raw_tables | map(attribute='identifier') | list).values() -%}
        {%- do found.append(load_time_of(source, table.columns, table.divided_by, at)) -%}
    {%- endfor -%}
    {{ return(found | select | reject('in', arrival_columns()) | list | length > 0) }}
{%- endmacro %}

{#- BigQuery: the column that partitions a raw table, if it is a time at which rows were loaded, received or sent. -#}
{% macro load_time_column(raw_table) -%}
    {%- set landing = raw_source(raw_table).config.meta.landing -%}
    {%- set at = landing.get('at', 'timestamp') -%}
    {%- set named = load_time_of(landing.source, raw_columns(raw_table), [], at) -%}
    {%- if named -%}{{ return(named) }}{%- endif -%}
    {%- set columns = run_query(
        'select column_name from ' ~ raw_table.include(identifier=false) ~ ".INFORMATION_SCHEMA.COLUMNS where table_name = '" ~ raw_table.identifier
        ~ "' and is_partitioning_column = 'YES' and data_type = 'TIMESTAMP'"
    ).columns[0].values() -%}
    {{ return(load_time_of(landing.source, [], columns, at)) }}
{%- endmacro %}

{#- The same for a source's table, given the columns of time by which it is divided. BigQuery does not say this of a view; raw_load_times
    does. The event's own time, `at`, is not returned, because every query bounds it. -#}
{% macro load_time_of(source, columns, divided_by, at='timestamp') -%}
    {%- set named = var('raw_load_times', {}).get(source, at) | lower -%}
    {%- if named != at and named in columns -%}{{ return(named) }}{%- endif -%}
    {{ return(divided_by | select('in', arrival_columns() + device_clock_columns()) | first) }}
{%- endmacro %}

{#- Loaders divide tables by the time at which a row was loaded or received, or by a device's clock at the time of sending or of the event. -#}
{% macro arrival_columns() -%}{{ return(['_PARTITIONTIME', 'loaded_at', 'received_at', 'uuid_ts']) }}{%- endmacro %}
{% macro device_clock_columns() -%}{{ return(['sent_at', 'original_timestamp']) }}{%- endmacro %}

{#- The declared raw tables of a source, such as segment. -#}
{% macro raw_tables_of(source) -%}
    {%- set landed = graph.sources.values() | selectattr('config.meta.landing', 'defined') -%}
    {{ return(landed | selectattr('config.meta.landing.source', 'equalto', source) | list) }}
{%- endmacro %}

{#- The source that declares a raw table. -#}
{% macro raw_source(raw_table) -%}
    {%- for node in graph.sources.values() if node.source_name == 'raw' and node.identifier == raw_table.identifier and node.schema == raw_table.schema -%}
        {{ return(node) }}
    {%- endfor -%}
{%- endmacro %}

{#- BigQuery: fails unless the loader's table has what the source declares: each required column, and types that can be converted. `available` are
    the table's columns. -#}
{% macro require_raw_columns(raw_table, available) -%}
    {%- set types = {} -%}
    {%- for column in available -%}{%- do types.update({column.name | lower: column.dtype | upper}) -%}{%- endfor -%}
    {%- set problems = [] -%}
    {%- for name, column in raw_source(raw_table).columns.items() -%}
        {%- if name not in types and column.config.meta.get('required') -%}
            {%- do problems.append("has no column '" ~ name ~ "'") -%}
        {%- elif name in types and as_declared(name, types[name], column.data_type) is none -%}
            {%- do problems.append("has '" ~ name ~ "' as " ~ types[name] ~ ', not ' ~ {'VARCHAR': 'STRING'}.get(column.data_type, column.data_type)) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if problems -%}
        {% do exceptions.raise_compiler_error(
            'The raw table ' ~ raw_table ~ ' ' ~ problems | join(', and ') ~ '. Did its loader change, or is it another table of that name? Put a view '
            ~ 'with the right columns and types into a dataset of its own and name that in SESSIONIZATION_RAW_DATASETS (source=dataset).'
        ) %}
    {%- endif -%}
{%- endmacro %}

{#- The text of a hook, which is empty. Fails unless each source has at least one raw table, and each named event table exists. -#}
{% macro require_raw_tables() -%}{{ return(adapter.dispatch('require_raw_tables')()) }}{%- endmacro %}
{% macro default__require_raw_tables() -%}{{ return('') }}{%- endmacro %}
{% macro bigquery__require_raw_tables() -%}
    {%- if execute and flags.WHICH in ('run', 'build') -%}
    {%- for name in var('sources') -%}
        {%- set missing = [] -%}
        {%- set found = [] -%}
        {%- set columns = [] -%}
        {%- for node in raw_tables_of(name) -%}
            {%- set raw_table = api.Relation.create(database=node.database, schema=node.schema, identifier=node.identifier) -%}
            {%- do (found if raw_columns(raw_table) else missing).append(raw_table | string) -%}
            {%- do columns.extend(raw_columns(raw_table)) -%}
        {%- endfor -%}
        {%- if not found -%}
            {% do exceptions.raise_compiler_error(
                'Source ' ~ name ~ ' has none of its raw tables: ' ~ missing | join(', ')
                ~ '. Name the dataset that the loader fills in SESSIONIZATION_RAW_DATASETS ('
                ~ name ~ '=dataset), or leave the source out of SESSIONIZATION_SOURCES.'
            ) %}
        {%- endif -%}
        {%- set load_time = var('raw_load_times', {}).get(name) -%}
        {%- if load_time and load_time | lower not in columns + ['_partitiontime'] -%}
            {% do exceptions.raise_compiler_error(
                "SESSIONIZATION_RAW_LOAD_TIMES says that the column '" ~ load_time ~ "' has the time at which rows of " ~ name ~ ' came, and no raw '
                ~ 'table of the source has it: ' ~ found | join(', ') ~ '. Correct the name, or leave it out: these tables would be read whole.'
            ) %}
        {%- endif -%}
    {%- endfor -%}
    {#- Checked here, so that wrong event tables fail a run before its first model. -#}
    {%- do event_tables() -%}
    {%- endif -%}
{%- endmacro %}

{#- Columns of a raw table that have no canonical name, as one JSON object: the undeclared ones (on DuckDB, landing has gathered
    them) and the declared ones in `kept`. -#}
{% macro raw_properties(raw_table, available, kept=[]) -%}{{ return(adapter.dispatch('raw_properties')(raw_table, available, kept)) }}{%- endmacro %}
{% macro default__raw_properties(raw_table, available, kept) -%}
    {%- set others = 'properties' if 'properties' in available else 'cast(null as json)' -%}
    {%- if not kept -%}{{ return(others) }}{%- endif -%}
    {%- set pairs = [] -%}
    {%- for column in kept if column in available -%}{%- do pairs.append("'" ~ column ~ "', " ~ column) -%}{%- endfor -%}
    {#- A patch leaves out nulls. -#}
    {{ return("json_merge_patch('{}', json_object(" ~ pairs | join(', ') ~ "), coalesce(" ~ others ~ ", '{}'))") }}
{%- endmacro %}
{#- In tables that landing fills, they are gathered already. -#}
{% macro bigquery__raw_properties(raw_table, available, kept) -%}
    {%- if var('loader', 'vendor') != 'vendor' and not kept -%}
        {{ return('properties' if 'properties' in available else 'cast(null as json)') }}
    {%- endif -%}
    {%- set declared = raw_source(raw_table).columns | list if available else [] -%}
    {%- set names = [] -%}
    {%- for column in available if column in kept or column not in declared + ['source_file', 'source_row'] -%}{%- do names.append(column) -%}{%- endfor -%}
    {{ return(columns_as_json(names)) }}
{%- endmacro %}

{#- BigQuery: the non-null columns of a row as one JSON object. `rows` is the table's name and a dot, if that is needed. -#}
{% macro columns_as_json(names, rows='') -%}
    {%- set pairs = [] -%}
    {%- for name in names -%}{%- do pairs.append(text_literal(name) ~ ', ' ~ rows ~ adapter.quote(name)) -%}{%- endfor -%}
    {{ return('json_strip_nulls(json_object(' ~ pairs | join(', ') ~ '), include_arrays => false)' if pairs else 'cast(null as json)') }}
{%- endmacro %}

{#- A field of a nested raw column, as text; null if it is blank or a null word. Landing keeps nested columns as JSON on DuckDB. -#}
{% macro nested_text(raw_table, column, field) -%}
    {{ return(without_null_words(adapter.dispatch('nested_text')(raw_table, column, field)) | trim) }}
{%- endmacro %}
{% macro default__nested_text(raw_table, column, field) -%}{{ return(json_text(column, field)) }}{%- endmacro %}
{% macro bigquery__nested_text(raw_table, column, field) -%}
    {%- if is_text_only() -%}{{ return(column ~ '.' ~ field) }}{%- endif -%}
    {%- if execute -%}
    {%- for found in adapter.get_columns_in_relation(raw_table) if found.name | lower == column -%}
        {%- if found.fields | map(attribute='name') | map('lower') | select('equalto', field) | first -%}
            {{ return('cast(raw_rows.' ~ column ~ '.' ~ field ~ ' as string)') }}
        {%- elif found.dtype | upper in ('JSON', 'STRING') -%}
            {{ return("json_value(" ~ column ~ ", '$." ~ field ~ "')") }}
        {%- endif -%}
    {%- endfor -%}
    {%- endif -%}
    {{ return('cast(null as string)') }}
{%- endmacro %}

{#- A digest of a raw row's content, without the place where it was read. -#}
{% macro content_md5(raw_table) -%}{{ return(adapter.dispatch('content_md5')(raw_table)) }}{%- endmacro %}
{% macro default__content_md5(raw_table) -%}
    {%- set columns = raw_columns(raw_table) | reject('in', ['source_file', 'source_row']) | list or ["''"] -%}
    {{ return("md5(cast(to_json(row(" ~ columns | join(', ') ~ ")) as varchar))") }}
{%- endmacro %}
{% macro bigquery__content_md5(raw_table) -%}
    {%- set columns = [] -%}
    {%- for column in raw_columns(raw_table) if column not in ('source_file', 'source_row') -%}{%- do columns.append(adapter.quote(column)) -%}{%- endfor -%}
    {{ return("to_hex(md5(to_json_string(struct(" ~ (columns or ["''"]) | join(', ') ~ "))))") }}
{%- endmacro %}

{#- Files and rows that landing could not read, as rejected events of no day. Loaders that write tables themselves have no such rows. -#}
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
        source_file,
        to_json(unreadable) as raw
    from (
        select source, table_name, source_file, source_line, error, content
        from {{ source('raw', 'landing_rejects') }}
        where source in ('{{ var('sources') | join("', '") }}')
    ) as unreadable
{%- endmacro %}

{% macro bigquery__unreadable_rows() -%}
    {%- if var('loader', 'vendor') != 'vendor' -%}{{ return(default__unreadable_rows()) }}{%- endif -%}
    select
        cast(null as string) as event_id, cast(null as string) as source, cast(null as string) as event_type, 'unreadable' as reason,
        cast(null as date) as event_date, {{ null_timestamp() }} as timestamp, {{ null_timestamp() }} as received_at,
        cast(null as string) as source_file, cast(null as json) as raw
    from (select 1 as one) as nothing
    where false
{%- endmacro %}

{#- How many rows each file in the landing folder has, readable or not. Files that were set aside as a whole and files that were removed from the
    folder are left out. -#}
{% macro landed_row_counts() -%}
    select source, source_file, sum(row_count + reject_count) as row_count
    from {{ source('raw', 'landing_rejects').include(identifier=false) }}.landed_files
    where status = 'loaded'
    group by source, source_file
{%- endmacro %}

{#- The text of a query (dbt source freshness): when rows last came into a raw table. A table that never got any is not late. -#}
{% macro newest_arrival(raw_table) -%}{{ return(adapter.dispatch('newest_arrival')(raw_table)) }}{%- endmacro %}
{% macro default__newest_arrival(raw_table) -%}
    select coalesce(max(landed_at), cast(current_timestamp as timestamp))
    from {{ raw_table.include(identifier=false) }}.landed_files
    where source || '_' || table_name = '{{ raw_table.identifier }}'
{%- endmacro %}
{#- Reads only the rows of the last 35 days: older tables are late in any case. -#}
{% macro bigquery__newest_arrival(raw_table) -%}
    {%- set at = 'received_at' if 'received_at' in raw_columns(raw_table) else 'timestamp' -%}
    {%- set since = (modules.datetime.datetime.now(modules.pytz.utc).date() - modules.datetime.timedelta(days=35)) | string -%}
    select coalesce(max({{ at }}), timestamp '{{ since }} 00:00:00') from {{ raw_table }} where {{ at }} >= timestamp '{{ since }} 00:00:00'
{%- endmacro %}
