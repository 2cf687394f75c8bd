{#- How tables are laid out. DuckDB keeps minima and maxima of every block and needs to be told nothing; BigQuery divides a table by day,
    and sorts each day's rows by keys. -#}

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
