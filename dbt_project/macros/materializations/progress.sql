{#-
internal.frontier_progress: one row per stored model, seed and table of Python code that others are made of.

  sequence            how far it has followed its parent's log or the change queue
  generation          changes whenever its table is made anew
  parents_generation  those of its parents when it was
  fingerprint         what its rows were made by: fingerprint_of a model, what a seed's file held, the version of the code

sessionization_dagster/dbt/fingerprints.py gives every model two config values before a command: `fingerprint`, a digest of its SQL and that of the views
it reads, and `made_of`, the ids of the seeds and of the versioned tables among these. So a change of a model, macro, var or seed is noticed by
the tables whose rows it can change, and by no others. dbt alone, without them, makes no table anew for such a change.
-#}

{% macro frontier_progress_relation() -%}{{ return(internal_relation('frontier_progress')) }}{%- endmacro %}

{#-
What a command knows while it runs, in one object for all of its nodes: dbt's `graph`, which each command has for itself. There is one writer at a time
(the pool), so what was read once holds, and what a model writes is noted here too.
  progress   model name -> row of internal.frontier_progress
  plans      unique id -> what the run does with the model's table: frontier_plan, day_plan
  this_run   model name -> {'after', 'sequence'}: the changes whose rows internal.<model>__this_run holds
-#}
{% macro run_memory() -%}
    {%- if 'run_memory' not in graph -%}{%- do graph.update({'run_memory': {'plans': {}, 'this_run': {}}}) -%}{%- endif -%}
    {{ return(graph['run_memory']) }}
{%- endmacro %}

{#- {model name: row of internal.frontier_progress}. -#}
{% macro frontier_progress() -%}
    {%- set memory = run_memory() -%}
    {%- if 'progress' not in memory -%}
        {%- set query -%}
            select model, sequence, generation, parents_generation, fingerprint from {{ frontier_progress_relation() }}
        {%- endset -%}
        {%- set progress = {} -%}
        {%- for row in run_query(query) -%}
            {%- do progress.update({row['model']: {
                'sequence': row['sequence'] | int, 'generation': row['generation'],
                'parents_generation': row['parents_generation'], 'fingerprint': row['fingerprint']}}) -%}
        {%- endfor -%}
        {%- do memory.update({'progress': progress}) -%}
    {%- endif -%}
    {{ return(memory.progress) }}
{%- endmacro %}

{#- The statement by which the current model counts as never built until its progress is noted again. -#}
{% macro progress_taken_back() -%}
    delete from {{ frontier_progress_relation() }} where model = '{{ model.name }}'
{%- endmacro %}

{#- The statements that note a plan's progress. -#}
{% macro progress_noted(plan) -%}
    {%- set noted -%}
        insert into {{ frontier_progress_relation() }} (model, sequence, generation, parents_generation, fingerprint)
        values ('{{ model.name }}', {{ plan.sequence }}, '{{ plan.generation }}', '{{ plan.parents_generation }}', '{{ plan.fingerprint }}')
    {%- endset -%}
    {{ return([progress_taken_back(), noted]) }}
{%- endmacro %}

{#- For after these statements' transaction. -#}
{% macro remember_progress(plan) -%}
    {%- do frontier_progress().update({model.name: {
        'sequence': plan.sequence, 'generation': plan.generation,
        'parents_generation': plan.parents_generation, 'fingerprint': plan.fingerprint}}) -%}
{%- endmacro %}

{#- What a node's rows depend on besides the tables above it. none: dbt runs alone, and nothing is known. A seed that the run loads is as its file is. -#}
{% macro fingerprint_of(node, progress) -%}
    {%- if not node.config.get('fingerprint') -%}{{ return(none) }}{%- endif -%}
    {%- set values = [node.config.fingerprint] -%}
    {%- for unique_id in node.config.get('made_of', []) -%}
        {%- set name = unique_id.split('.')[-1] -%}
        {%- if unique_id in graph.nodes and (unique_id in selected_resources or name in var('models_of_run', [])) -%}
            {%- do values.append(graph.nodes[unique_id].checksum.checksum) -%}
        {%- elif name in progress -%}
            {%- do values.append(progress[name].fingerprint) -%}
        {%- else -%}
            {%- do values.append('unknown to ' ~ invocation_id) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(local_md5(values | join(' '))) }}
{%- endmacro %}

{#- The text of a hook that ends a run: what the loaded seeds hold. -#}
{% macro note_loaded_seeds(results) -%}
    {%- if execute and flags.WHICH in ('run', 'build', 'seed') -%}
        {%- set loaded = [] -%}
        {%- for result in results if result.node.resource_type == 'seed' and result.status | string == 'success' -%}
            {%- do loaded.append(result.node) -%}
        {%- endfor -%}
        {%- set progress = frontier_progress() if loaded else {} -%}
        {%- set rows = [] -%}
        {%- for node in loaded if node.name not in progress -%}
            {%- do rows.append("('" ~ node.name ~ "', 0, '', '', '" ~ node.checksum.checksum ~ "')") -%}
        {%- endfor -%}
        {%- if rows -%}
    insert into {{ frontier_progress_relation() }} (model, sequence, generation, parents_generation, fingerprint) values {{ rows | join(', ') }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- A model's or seed's place in the warehouse. -#}
{% macro relation_of(node) -%}
    {{ return(api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias)) }}
{%- endmacro %}

{% macro is_stored(node) -%}{{ return(node.resource_type == 'model' and node.config.materialized in ('date_overwrite', 'frontier', 'rollup')) }}{%- endmacro %}

{#- The models whose being made anew makes this one anew: frontier models above it, and above a root the tables by day. Other tables follow
    a table by day by the queue. -#}
{% macro generation_parents(node) -%}
    {%- if node.config.materialized == 'date_overwrite' -%}{{ return([]) }}{%- endif -%}
    {%- set parents = frontier_parents(node) -%}
    {%- if not parents -%}
        {%- for unique_id in node.depends_on.nodes if unique_id in graph.nodes and graph.nodes[unique_id].config.materialized == 'date_overwrite' -%}
            {%- do parents.append(graph.nodes[unique_id]) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(parents) }}
{%- endmacro %}

{% macro parents_generation(node, progress) -%}
    {%- set generations = [] -%}
    {%- for parent in generation_parents(node) -%}
        {%- do generations.append(progress[parent.name].generation if parent.name in progress else 'never built') -%}
    {%- endfor -%}
    {{ return(generations | join(' ')) }}
{%- endmacro %}

{#- True while the text of a model is compiled for its fingerprint: the same whatever the warehouse holds, which is not asked. A macro that depends
    on it then gives a text that names what it would ask for. -#}
{% macro is_text_only() -%}{{ return(flags.WHICH == 'compile' and var('text_only', false)) }}{%- endmacro %}
