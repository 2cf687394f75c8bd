{#-
internal.frontier_progress: one row per stored model, per seed, and per table of Python code that others depend on.

  sequence            how far it has followed its parent's log or the change queue
  generation          changes whenever its table is rebuilt
  parents_generation  the generations of its parents at that time
  fingerprint         how its rows were made: fingerprint_of a model, a digest of a seed's file, the version of the code

sessionization_dagster/dbt/fingerprints.py gives every model two config values before a command: `fingerprint`, a digest of its SQL and that of the views
it reads, and `made_of`, the ids of the seeds and of the versioned tables that it reads. So a change of a model, macro, var or seed rebuilds exactly
the tables whose rows it can change. dbt alone does not have these values and rebuilds no table for such a change.
-#}

{% macro frontier_progress_relation() -%}{{ return(internal_relation('frontier_progress')) }}{%- endmacro %}

{#-
The state of a running command, shared by all of its nodes: it is stored in dbt's `graph`, of which each command has its own. There is one writer at a
time (the pool), so a value that was read once stays right. What a model writes is noted here too.
  progress   model name -> row of internal.frontier_progress, or the plan that this run has carried out
  plans      unique id -> how the run treats the model's table: frontier_plan, day_plan
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

{#- The statement that deletes the current model's progress. The model then counts as never built until its progress is noted again. -#}
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

{#- To be called after the transaction of these statements. -#}
{% macro remember_progress(plan) -%}
    {%- do frontier_progress().update({model.name: plan}) -%}
{%- endmacro %}

{#- A digest of all that a node's rows depend on, other than the tables above it; none if dbt runs alone. A seed that the run loads is as its file. -#}
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

{#- The text of a hook at the end of a run. Notes the content of the loaded seeds. -#}
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

{#- The relation of a model or seed. -#}
{% macro relation_of(node) -%}
    {{ return(api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias)) }}
{%- endmacro %}

{% macro is_stored(node) -%}{{ return(node.resource_type == 'model' and node.config.materialized in ('date_overwrite', 'frontier', 'rollup')) }}{%- endmacro %}

{#- If one of these models is rebuilt, so is this one: the frontier models above it, and above a root the tables by day. Other tables follow
    a table by day through the queue. -#}
{% macro generation_parents(node) -%}
    {%- if node.config.materialized == 'date_overwrite' -%}{{ return([]) }}{%- endif -%}
    {{ return(frontier_parents(node) or parents_made_by('date_overwrite', node)) }}
{%- endmacro %}

{% macro parents_generation(node, progress) -%}
    {%- set generations = [] -%}
    {%- for parent in generation_parents(node) -%}
        {%- do generations.append(progress[parent.name].generation if parent.name in progress else 'never built') -%}
    {%- endfor -%}
    {{ return(generations | join(' ')) }}
{%- endmacro %}

{#- True while the text of a model is compiled for its fingerprint. This text must not depend on the warehouse, which is not queried. A macro that would
    query it gives a text that names the query's subject. -#}
{% macro is_text_only() -%}{{ return(flags.WHICH == 'compile' and var('text_only', false)) }}{%- endmacro %}
