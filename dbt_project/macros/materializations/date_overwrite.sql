{#-
Materialisation `date_overwrite`: the table's rows whose date lies in the window are replaced by the model's, in one transaction.
The model selects only rows of the window. A day that reruns to nothing ends empty, which delete+insert by key would miss. Where the SQL that makes the
table has changed, the window is all days that were ever written, and the table is made anew.

config
  date        the table's date column
  sets_aside  name of the macro whose rows the model reads by set_aside(): kept in internal.<model>__set_aside, written before the model's rows in
              the same transaction. A run replaces the rows of its days, and those without a date
  notes_days  default false: true where others follow the table's days (change_queue.sql)
  follows     the model whose noted days are written besides those of the run
-#}
{% materialization date_overwrite, default %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set existing_relation = load_cached_relation(this) -%}
    {%- set date = config.require('date') -%}
    {%- set plan = day_plan() -%}
    {%- set aside = set_aside_statements(plan) if config.get('sets_aside') else [] -%}
    {%- set progress = ([] if plan.is_noted else progress_noted(plan)) + ([note_days(plan.days)] if config.get('notes_days', false) else []) -%}

    {{ run_hooks(pre_hooks) }}
    {#- --full-refresh means nothing here: a run knows the rows of its window alone, and must keep those of other days. -#}
    {%- if plan.is_whole -%}
        {#- Made and filled by one statement: DuckDB 2.0 answers filtered queries wrongly, until the file is opened again, where a table is
            made with no rows by a select and takes more than a row group (122,880 rows) in the same transaction. -#}
        {%- do make_room(model_layout()) -%}
        {%- do run_atomically([progress_taken_back()] + aside, table_of(target_relation, sql, model_layout()), progress) -%}
    {%- else -%}
        {%- set columns = get_columns_in_query(sql) -%}
        {%- do require_same_columns(existing_relation, columns) -%}
        {%- do run_atomically(
            aside + ['delete from ' ~ target_relation ~ ' where ' ~ in_days(date, plan.days)], insert_into(target_relation, sql, columns), progress) -%}
    {%- endif -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{% macro set_aside_relation(model_name) -%}{{ return(internal_relation(model_name ~ '__set_aside')) }}{%- endmacro %}

{#- What the current model sets aside, to be written after `from`. It is the table. Where the model is only compiled it is the rows' SQL, which
    becomes a part of the model's text and so of its fingerprint. -#}
{% macro set_aside() -%}
    {{ return(set_aside_relation(model.name) if writes_days() or not execute else '(' ~ context[config.require('sets_aside')]() ~ ') as set_aside') }}
{%- endmacro %}

{#- The statements that write it. -#}
{% macro set_aside_statements(plan) -%}
    {%- set relation, rows, date = set_aside_relation(model.name), context[config.get('sets_aside')](), config.get('date') -%}
    {%- if plan.is_whole -%}{{ return([table_of(relation, rows, {'partition': date, 'by_date': true})]) }}{%- endif -%}
    {{ return([
        'delete from ' ~ relation ~ ' where ' ~ in_days(date, plan.days) ~ ' or ' ~ date ~ ' is null',
        insert_into(relation, rows, set_aside_columns()),
    ]) }}
{%- endmacro %}

{#- Columns by name: a model may reorder them. -#}
{% macro insert_into(relation, sql, columns) -%}
    {%- set names = columns | join(', ') -%}
    {{ return('insert into ' ~ relation ~ ' (' ~ names ~ ')\nselect ' ~ names ~ ' from (\n' ~ sql ~ '\n) as model') }}
{%- endmacro %}

{#- Rows of other dates were written with the columns that the table has: a model that selects others cannot join them. A model that has changed has its
    table made anew; dbt alone does not notice that it has. -#}
{% macro require_same_columns(relation, columns) -%}
    {%- set has = adapter.get_columns_in_relation(relation) | map(attribute='name') | sort -%}
    {%- set gives = columns | sort -%}
    {%- if has != gives -%}
        {% do exceptions.raise_compiler_error(
            relation ~ " has the columns " ~ has | join(', ') ~ " but the model now gives " ~ gives | join(', ')
            ~ ". Drop the table and backfill all partitions of it and of what follows from it."
        ) %}
    {%- endif -%}
{%- endmacro %}
