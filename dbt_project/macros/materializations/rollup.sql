{#-
Materialisation `rollup`: a table of aggregates over frontier models, one or several rows per key (a date, a client). A frontier model
that a rollup stands on notes in internal.<rollup>__touched, in the transaction of its own rewrite, the keys of the rows that it
deletes and of those that it inserts. The rollup deletes and computes the rows of those keys, and empties the note, in one
transaction: whatever runs were left out or killed, the note holds what is still to be done.

Rebuilt whole on the same occasions as a frontier model.

config
  key         column of the table
  key_type    'date' or 'string'
  parent_key  expression over the parents' columns that gives the key (default: key); a dict {parent: expression} where they differ
  date        the table's date column, for the tests' window
-#}
{% materialization rollup, default %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set touched = touched_relation(model.name) -%}
    {%- set plan = frontier_plan() -%}

    {{ run_hooks(pre_hooks) }}
    {%- if plan.is_whole -%}
        {%- do make_room(model_layout()) -%}
        {%- set before, main = [progress_taken_back()], table_of(target_relation, sql, model_layout()) -%}
    {%- else -%}
        {%- set bounds = run_query('select count(*) as n, min(key) as first_key, max(key) as last_key from ' ~ touched)[0] -%}
        {%- set before, main = [], none -%}
        {%- if bounds['n'] > 0 -%}
            {%- set tail_sql = with_key_bounds(sql, bounds) -%}
            {%- set before = ['delete from ' ~ target_relation ~ ' where ' ~ with_key_bounds(is_touched(config.require('key')), bounds)] -%}
            {%- set main = insert_into(target_relation, tail_sql, get_columns_in_query(tail_sql)) -%}
        {%- endif -%}
    {%- endif -%}
    {%- do run_atomically(before, main, ['delete from ' ~ touched ~ ' where true'] + progress_noted(plan)) -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{% macro touched_relation(model_name) -%}{{ return(internal_relation(model_name ~ '__touched')) }}{%- endmacro %}

{#- The touched keys as a subquery; keys are kept as text. -#}
{% macro touched_keys() -%}
    {%- set key = 'key' if config.get('key_type') == 'string' else 'cast(key as date)' -%}
    {{ return('(select ' ~ key ~ ' from ' ~ touched_relation(model.name) ~ ')') }}
{%- endmacro %}

{#- In a rollup's text: the parent's row belongs to a touched key. Date keys are bounded by literals besides. -#}
{% macro is_touched(key) -%}
    {%- if not is_frontier_run() -%}{{ return(since_ever(key) if config.get('key_type') == 'date' else 'true') }}{%- endif -%}
    {%- set bounds = since_first_touched(key) ~ ' and ' ~ key ~ " <= date '__last_key__' and " -%}
    {{ return((bounds if config.get('key_type') == 'date' else '') ~ key ~ ' in ' ~ touched_keys()) }}
{%- endmacro %}

{#- The literals in the place of what is_touched leaves for them. -#}
{% macro with_key_bounds(sql, bounds) -%}
    {{ return(sql | replace('__first_key__', bounds['first_key']) | replace('__last_key__', bounds['last_key'])) }}
{%- endmacro %}

{#- A date of the parent that is never before the key's. -#}
{% macro since_first_touched(date) -%}
    {{ return(date ~ " >= date '__first_key__'" if is_frontier_run() else since_ever(date)) }}
{%- endmacro %}

{#- Statements that note which keys a frontier model's run touches, for each rollup upon it: those whose key is the entity learn the run's
    entities, ... -#}
{% macro touch_rollups_of_entities(frontier) -%}
    {%- set statements = [] -%}
    {%- for node in rollups() if model.unique_id in node.depends_on.nodes and parent_key(node) == entity_expression() -%}
        {%- do statements.append('insert into ' ~ touched_relation(node.name) ~ ' (key) select entity from ' ~ frontier) -%}
    {%- endfor -%}
    {{ return(statements) }}
{%- endmacro %}

{#- ... and the others the keys of the rows given, by what stands after `from`. -#}
{% macro touch_rollups(rows) -%}
    {%- set statements = [] -%}
    {%- for node in rollups() if model.unique_id in node.depends_on.nodes and parent_key(node) != entity_expression() -%}
        {%- do statements.append(
            'insert into ' ~ touched_relation(node.name) ~ ' (key) select distinct cast(' ~ parent_key(node) ~ ' as ' ~ dbt.type_string() ~ ') from ' ~ rows
        ) -%}
    {%- endfor -%}
    {{ return(statements) }}
{%- endmacro %}

{#- The rollup's key as an expression over the current model's rows. -#}
{% macro parent_key(rollup) -%}
    {%- set key = rollup.config.get('parent_key', rollup.config.key) -%}
    {{ return(key[model.name] if key is mapping else key) }}
{%- endmacro %}

{% macro rollups() -%}
    {{ return(graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') | selectattr('config.materialized', 'equalto', 'rollup') | list) }}
{%- endmacro %}
