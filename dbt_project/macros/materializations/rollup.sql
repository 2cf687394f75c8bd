{#-
Materialisation `rollup`: a table of aggregates over frontier models, one or several rows per key (a date, a client). A frontier model that a rollup
reads notes the keys of the rows that it deletes and of those that it inserts (change_queue.sql), in the transaction of its own rewrite. The rollup
deletes and computes the rows of those keys, and deletes the notes, in one transaction. So even if runs were left out or killed, the notes say what
is still to be done.

A rollup is rebuilt whole for the same reasons as a frontier model.

config
  key         column of the table: its date, or a text
  parent_key  expression over the parents' columns that gives the key (default: key); a dict {parent: expression} if they differ
  date        the table's date column, for the tests' window
-#}
{% materialization rollup, default %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set plan = frontier_plan() -%}
    {%- set notes -%}
        delete from {{ change_queue() }} where origin = '{{ model.name }}'
    {%- endset -%}
    {%- set after = [notes] + progress_noted(plan) -%}

    {{ run_hooks(pre_hooks) }}
    {%- if plan.is_whole -%}
        {%- do make_room(model_layout()) -%}
        {%- do in_transaction([progress_taken_back()], table_of(target_relation, sql, model_layout()), after) -%}
    {%- elif changed_keys().count == 0 -%}
        {%- do in_transaction([], none, progress_noted(plan)) -%}
    {%- else -%}
        {%- set deletion -%}
            delete from {{ target_relation }} where {{ is_changed_key(config.require('key')) }}
        {%- endset -%}
        {%- do in_transaction([deletion], insert_into(target_relation, sql), after) -%}
    {%- endif -%}
    {%- do remember_progress(plan) -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{#- {'count', 'first', 'last'} of the keys that this run computes anew, as text. -#}
{% macro changed_keys() -%}
    {%- set plan = frontier_plan() -%}
    {%- if 'changed_keys' not in plan -%}
        {%- set query -%}
            select count(*) as n, min(entity) as first_key, max(entity) as last_key from {{ change_queue() }} where origin = '{{ model.name }}'
        {%- endset -%}
        {%- set row = run_query(query)[0] -%}
        {%- do plan.update({'changed_keys': {
            'count': row['n'], 'first': row['first_key'] or after_all(), 'last': row['last_key'] or after_all()}}) -%}
    {%- endif -%}
    {{ return(plan.changed_keys) }}
{%- endmacro %}

{#- For a rollup's text: whether the parent's row belongs to a changed key. Date keys are also bounded by literals. -#}
{% macro is_changed_key(key) -%}
    {%- set is_by_date = config.get('key') == config.get('date') -%}
    {%- if not is_frontier_run() -%}
    {{ since_ever(key if is_by_date else none) }}
    {%- elif is_by_date -%}
    {{ since_first_changed(key) }} and {{ key }} <= date '{{ changed_keys().last }}'
    and {{ key }} in (select cast(entity as date) from {{ change_queue() }} where origin = '{{ model.name }}')
    {%- else -%}
    {{ key }} in (select entity from {{ change_queue() }} where origin = '{{ model.name }}')
    {%- endif -%}
{%- endmacro %}

{#- A date of the parent that is never before the key's. -#}
{% macro since_first_changed(date) -%}
    {{ date }} >= date '{{ changed_keys().first if is_frontier_run() else before_all() }}'
{%- endmacro %}

{#- The statements by which a frontier model notes the keys of rows for the rollups that read it; `rows` follows `from`. If a rollup's key is the entity, the
    run's frontier gives each key once (of_entities). For other rollups the deleted and inserted rows give the keys. -#}
{% macro note_changed_keys(rows, of_entities=false) -%}
    {%- set statements = [] -%}
    {%- for rollup in rollups_above() if (parent_key(rollup) == config.get('entity')) == of_entities -%}
        {%- set note -%}
            insert into {{ change_queue() }} (origin, entity)
            select distinct '{{ rollup.name }}', cast({{ 'entity' if of_entities else parent_key(rollup) }} as {{ dbt.type_string() }}) from {{ rows }}
        {%- endset -%}
        {%- do statements.append(note) -%}
    {%- endfor -%}
    {{ return(statements) }}
{%- endmacro %}

{#- The rollups that read the current model. -#}
{% macro rollups_above() -%}
    {%- set rollups = [] -%}
    {%- for node in models_made_by('rollup') if model.unique_id in node.depends_on.nodes -%}{%- do rollups.append(node) -%}{%- endfor -%}
    {{ return(rollups) }}
{%- endmacro %}

{#- The rollup's key as an expression over the current model's rows. -#}
{% macro parent_key(rollup) -%}
    {%- set key = rollup.config.get('parent_key', rollup.config.key) -%}
    {{ return(key[model.name] if key is mapping else key) }}
{%- endmacro %}
