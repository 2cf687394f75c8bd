{#- The layout of tables. DuckDB stores the minima and maxima of every block, so the order of rows is the layout. BigQuery divides a table by
    day, and sorts each day's rows by keys. -#}

{#- The column that a model's table is divided by: its date, or config.stored_by. That is a timestamp, which divides by its UTC day, or 'entity'
    for a table that is read by entity and over all time, and so is not divided. -#}
{% macro partition_column(config) -%}
    {%- set column = config.get('stored_by') or config.get('date') -%}
    {{ return(none if column == 'entity' else column) }}
{%- endmacro %}

{#- The statement that makes (or replaces) a table with the rows of a query. `layout` is the layout of a model's table (see
    model_layout), or none for the small tables that only materialisations use. -#}
{% macro table_of(relation, sql, layout=none) -%}{{ return(adapter.dispatch('table_of')(relation, sql, layout)) }}{%- endmacro %}
{% macro default__table_of(relation, sql, layout) -%}{{ return('create or replace table ' ~ relation ~ ' as\n' ~ sql) }}{%- endmacro %}
{% macro bigquery__table_of(relation, sql, layout) -%}
    {%- set clauses = [] -%}
    {%- if layout and layout.partition -%}
        {%- do clauses.append('partition by ' ~ (layout.partition if layout.by_date else 'timestamp_trunc(' ~ layout.partition ~ ', day)')) -%}
    {%- endif -%}
    {%- if layout and layout.sorted_by -%}{%- do clauses.append('cluster by ' ~ layout.sorted_by | join(', ')) -%}{%- endif -%}
    {%- if layout and layout.partition and var('require_partition_filter') -%}
        {%- do clauses.append('options (require_partition_filter = true)') -%}
    {%- endif -%}
    {{ return('create or replace table ' ~ relation ~ '\n' ~ clauses | join('\n') ~ '\nas\n' ~ sql) }}
{%- endmacro %}

{#- The statement that adds a query's rows to a table. Columns are matched by name, because a model may reorder them. `source` is a table with the query's
    columns. Without it, the query has the table's columns, because its SQL has not changed. -#}
{% macro insert_into(relation, sql, source=none) -%}{{ return(adapter.dispatch('insert_into')(relation, sql, source)) }}{%- endmacro %}
{% macro default__insert_into(relation, sql, source) -%}
    {{ return('insert into ' ~ relation ~ ' by name\nselect * from (\n' ~ sql ~ '\n) as model') }}
{%- endmacro %}
{% macro bigquery__insert_into(relation, sql, source) -%}
    {%- set names = adapter.get_columns_in_relation(source or relation) | map(attribute='name') | join(', ') -%}
    {{ return('insert into ' ~ relation ~ ' (' ~ names ~ ')\nselect ' ~ names ~ ' from (\n' ~ sql ~ '\n) as model') }}
{%- endmacro %}

{#- The rows of a table that is rebuilt, sorted by day, as later runs add theirs, so that a query of one day skips blocks of other days. Without
    the sort, a model that orders rows by visitor would have rows of all days in each block. The sort pays only if there are more days than a
    month. BigQuery divides the table itself. -#}
{% macro in_order_of_days(sql, date) -%}{{ return(adapter.dispatch('in_order_of_days')(sql, date)) }}{%- endmacro %}
{% macro default__in_order_of_days(sql, date) -%}
    {%- if date -%}
        {%- set days = run_query('select max(event_date) - min(event_date) as days from ' ~ ref_by_name('events'))[0]['days'] -%}
        {%- if days is not none and days > 31 -%}{{ return('select * from (\n' ~ sql ~ '\n) as model order by ' ~ date) }}{%- endif -%}
    {%- endif -%}
    {{ return(sql) }}
{%- endmacro %}
{% macro bigquery__in_order_of_days(sql, date) -%}{{ return(sql) }}{%- endmacro %}

{#- The layout of the current model's table: divided by partition_column, and sorted by config.cluster_by or else by the entity or key that it is
    rewritten by, if that is a column. -#}
{% macro model_layout() -%}
    {%- set partition = partition_column(config) -%}
    {%- set keys = config.get('cluster_by') or [config.get('entity') or config.get('key')] -%}
    {%- set keys = [keys] if keys is string else keys -%}
    {%- set columns = [] -%}
    {%- for key in keys if key and key != partition and modules.re.fullmatch('[a-z_]+', key) -%}{%- do columns.append(key) -%}{%- endfor -%}
    {{ return({'partition': partition, 'by_date': partition == config.get('date'), 'sorted_by': columns}) }}
{%- endmacro %}

{#- Before the model's table is rebuilt: drops a view of its name. BigQuery cannot replace a table with one that has another partitioning or clustering,
    so such a table is dropped too. Nobody can read it until the new one exists. -#}
{% macro make_room(layout) -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- if existing is not none and existing.is_view -%}
        {%- do adapter.drop_relation(existing) -%}
    {%- else -%}
        {%- do adapter.dispatch('make_room')(layout) -%}
    {%- endif -%}
{%- endmacro %}
{% macro default__make_room(layout) -%}{%- endmacro %}
{% macro bigquery__make_room(layout) -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set partition = none -%}
    {%- if layout.partition -%}
        {%- set partition = adapter.parse_partition_by({
            'field': layout.partition, 'data_type': 'date' if layout.by_date else 'timestamp', 'granularity': 'day'}) -%}
    {%- endif -%}
    {%- if existing is not none and not adapter.is_replaceable(existing, partition, layout.sorted_by or none) -%}
        {%- do adapter.drop_relation(existing) -%}
    {%- endif -%}
{%- endmacro %}
