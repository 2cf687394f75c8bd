{#-
Materialisation `date_overwrite`: the table's rows whose date lies in the window are replaced by the model's, in one transaction.
The model selects only rows of the window. A day without rows any more ends empty, which delete+insert by key would miss. If the SQL that makes the
table has changed, the window is all days that were ever written, and the table is rebuilt. The written days are noted, for those who follow them
(change_queue.sql).

config
  date        the table's date column
  sets_aside  name of a macro. set_aside() gives its rows to the model. They are stored in internal.<model>__set_aside, before the model's rows and
              in the same transaction. A run replaces the rows of its days, and those without a date
  follows     a model: the run also writes the days that it noted
-#}
{% materialization date_overwrite, default %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set plan = day_plan() -%}
    {%- set aside = set_aside_statements(plan) if config.get('sets_aside') else [] -%}
    {%- set notes = ([] if plan.is_noted else progress_noted(plan)) + [note_days(plan.days)] -%}

    {{ run_hooks(pre_hooks) }}
    {#- --full-refresh means nothing here: a run knows only the rows of its window, and must keep those of other days. -#}
    {%- if plan.is_whole -%}
        {#- One statement makes and fills the table. If a select makes an empty table and the same transaction adds more than a row group
            (122,880 rows), DuckDB 2.0 answers filtered queries wrongly until the file is opened again. -#}
        {%- do make_room(model_layout()) -%}
        {%- do in_transaction([progress_taken_back()] + aside, table_of(target_relation, sql, model_layout()), notes) -%}
    {%- else -%}
        {%- do require_same_columns(target_relation, sql) -%}
        {%- do in_transaction(aside + [deletion_of_days(target_relation, plan.days)], insert_into(target_relation, sql), notes) -%}
    {%- endif -%}
    {%- do remember_progress(plan) -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{#- Which days this run of a model by day writes, whether it rebuilds the table, and how far it has then followed the queue. A rebuilt
    table gets every day of which it, or another table by day, has rows. A day that was never run is not made. -#}
{% macro day_plan() -%}
    {%- if not writes_days() -%}{{ return({'days': days_of_run(), 'is_whole': false}) }}{%- endif -%}
    {%- set plans = run_memory().plans -%}
    {%- if model.unique_id not in plans -%}{%- do plans.update({model.unique_id: read_day_plan()}) -%}{%- endif -%}
    {{ return(plans[model.unique_id]) }}
{%- endmacro %}

{% macro read_day_plan() -%}
    {%- set progress = frontier_progress() -%}
    {%- set own = progress.get(model.name, {'sequence': 0, 'generation': '', 'fingerprint': ''}) -%}
    {%- set fingerprint = fingerprint_of(model, progress) or own.fingerprint -%}
    {%- set is_whole = reason_to_rebuild(model, progress) is not none -%}
    {%- set noted = noted_days(config.get('follows'), own.sequence) if config.get('follows') else {'sequence': 0, 'days': []} -%}
    {{ return({
        'days': (days_of_run() + (written_days() if is_whole else noted.days)) | unique | sort,
        'is_whole': is_whole,
        'is_noted': not is_whole and own.sequence == noted.sequence,
        'sequence': noted.sequence,
        'generation': own.generation if own.generation and not is_whole else invocation_id,
        'parents_generation': '',
        'fingerprint': fingerprint,
    }) }}
{%- endmacro %}

{#- ISO dates of which tables by day have rows, or rows that were set aside. -#}
{% macro written_days() -%}
    {%- set selects = [] -%}
    {%- for node in models_made_by('date_overwrite') -%}
        {%- for relation in [relation_of(node)] + ([set_aside_relation(node.name)] if node.config.get('sets_aside') else []) -%}
            {%- set date = node.config.date -%}
            {%- set written -%}
                select cast({{ date }} as {{ dbt.type_string() }}) as day from {{ relation }} where {{ since_ever(date) }}
            {%- endset -%}
            {%- if load_cached_relation(relation) is not none -%}{%- do selects.append(written) -%}{%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- if not selects -%}{{ return([]) }}{%- endif -%}
    {%- set days = run_query('select distinct day from (' ~ selects | join(' union all ') ~ ') as written where day is not null') -%}
    {{ return(days | map(attribute='day') | list) }}
{%- endmacro %}

{% macro deletion_of_days(relation, days) -%}
    delete from {{ relation }} where {{ in_days(config.get('date'), days) }}
{%- endmacro %}

{% macro set_aside_relation(model_name) -%}{{ return(internal_relation(model_name ~ '__set_aside')) }}{%- endmacro %}

{#- The rows that the current model sets aside, for use after `from`: the table. If the model is only compiled, it is the rows' SQL, which thus
    becomes a part of the model's text and of its fingerprint. -#}
{% macro set_aside() -%}
    {{ return(set_aside_relation(model.name) if writes_days() or not execute else '(' ~ context[config.require('sets_aside')]() ~ ') as set_aside') }}
{%- endmacro %}

{#- The statements that write this table. -#}
{% macro set_aside_statements(plan) -%}
    {%- set relation, rows, date = set_aside_relation(model.name), context[config.get('sets_aside')](), config.get('date') -%}
    {%- if plan.is_whole -%}{{ return([table_of(relation, rows, {'partition': date, 'by_date': true})]) }}{%- endif -%}
    {{ return([deletion_of_days(relation, plan.days) ~ ' or ' ~ date ~ ' is null', insert_into(relation, rows)]) }}
{%- endmacro %}

{#- Fails if the model selects other columns than the table has, because rows of other dates have the table's columns. A run through Dagster rebuilds
    the table of a changed model; dbt alone does not notice the change. -#}
{% macro require_same_columns(relation, sql) -%}
    {%- set has = adapter.get_columns_in_relation(relation) | map(attribute='name') | sort -%}
    {%- set gives = get_columns_in_query(sql) | sort -%}
    {%- if has != gives -%}
        {% do exceptions.raise_compiler_error(
            relation ~ " has the columns " ~ has | join(', ') ~ " but the model now gives " ~ gives | join(', ')
            ~ ". Drop the table and backfill all partitions of it and of what follows from it."
        ) %}
    {%- endif -%}
{%- endmacro %}
