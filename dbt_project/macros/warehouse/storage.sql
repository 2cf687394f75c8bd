{#- How tables are laid out. DuckDB keeps minima and maxima of every block, so that the order of rows is the layout; BigQuery divides a table by
    day, and sorts each day's rows by keys. -#}

{#- The column that a model's table is divided by: its date, or what config.stored_by says: a timestamp, by its UTC day; or 'entity' where
    the table is read by entity and over all time, and is not divided at all. -#}
{% macro partition_column(config) -%}
    {%- set column = config.get('stored_by') or config.get('date') -%}
    {{ return(none if column == 'entity' else column) }}
{%- endmacro %}

{#- The statement that makes (or replaces) a table with the rows of a query. `layout` is that of a model's table, see model_layout;
    none for the small tables that materialisations keep for themselves. -#}
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

{#- The statement that adds a query's rows to a table, columns by name: a model may reorder them. `source` is a table with the query's columns; without
    it they are those of the table, as its SQL has not changed. -#}
{% macro insert_into(relation, sql, source=none) -%}{{ return(adapter.dispatch('insert_into')(relation, sql, source)) }}{%- endmacro %}
{% macro default__insert_into(relation, sql, source) -%}
    {{ return('insert into ' ~ relation ~ ' by name\nselect * from (\n' ~ sql ~ '\n) as model') }}
{%- endmacro %}
{% macro bigquery__insert_into(relation, sql, source) -%}
    {%- set names = adapter.get_columns_in_relation(source or relation) | map(attribute='name') | join(', ') -%}
    {{ return('insert into ' ~ relation ~ ' (' ~ names ~ ')\nselect ' ~ names ~ ' from (\n' ~ sql ~ '\n) as model') }}
{%- endmacro %}

{#- The rows of a table that is made anew, in the order of days, as later runs will add theirs: what asks for a day then skips blocks of others. A
    query that looks at each visitor's rows in order gives them visitor by visitor, each block with rows of all days. That costs a sort, and
    only where there are more days than a month is anything won by it. BigQuery divides the table itself. -#}
{% macro in_order_of_days(sql, date) -%}{{ return(adapter.dispatch('in_order_of_days')(sql, date)) }}{%- endmacro %}
{% macro default__in_order_of_days(sql, date) -%}
    {%- if date -%}
        {%- set days = run_query('select max(event_date) - min(event_date) as days from ' ~ ref_by_name('events'))[0]['days'] -%}
        {%- if days is not none and days > 31 -%}{{ return('select * from (\n' ~ sql ~ '\n) as model order by ' ~ date) }}{%- endif -%}
    {%- endif -%}
    {{ return(sql) }}
{%- endmacro %}
{% macro bigquery__in_order_of_days(sql, date) -%}{{ return(sql) }}{%- endmacro %}

{#- The layout of the current model's table: divided by partition_column, sorted by config.cluster_by, or else by the entity or key that it
    is rewritten by, where that is a column. -#}
{% macro model_layout() -%}
    {%- set partition = partition_column(config) -%}
    {%- set keys = config.get('cluster_by') or [config.get('entity') or config.get('key')] -%}
    {%- set keys = [keys] if keys is string else keys -%}
    {%- set columns = [] -%}
    {%- for key in keys if key and key != partition and modules.re.fullmatch('[a-z_]+', key) -%}{%- do columns.append(key) -%}{%- endfor -%}
    {{ return({'partition': partition, 'by_date': partition == config.get('date'), 'sorted_by': columns}) }}
{%- endmacro %}

{#- Before the model's table is rebuilt: drops a view of its name. BigQuery does not replace a table by one with another partitioning or clustering, so
    such a table is dropped too. Nobody can read it until the new one is there. -#}
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
