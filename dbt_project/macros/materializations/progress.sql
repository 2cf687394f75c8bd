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

{#- {model name: row of internal.frontier_progress} of the models given, or of all. -#}
{% macro frontier_progress(names=none) -%}
    {%- set progress = {} -%}
    {%- for row in run_query(
        "select progress.model, progress.sequence, progress.generation, progress.parents_generation, progress.fingerprint, tails.after_sequence from "
        ~ frontier_progress_relation() ~ " as progress left join " ~ frontier_tails_relation()
        ~ " as tails on progress.model = tails.model and progress.sequence = tails.sequence"
        ~ (" where progress.model in ('" ~ names | join("', '") ~ "')" if names is not none else '')
    ) -%}
        {%- do progress.update({row['model']: {
            'sequence': row['sequence'] | int, 'generation': row['generation'],
            'parents_generation': row['parents_generation'], 'fingerprint': row['fingerprint'], 'tail_after': row['after_sequence']}}) -%}
    {%- endfor -%}
    {{ return(progress) }}
{%- endmacro %}

{#- The model counts as never built until its progress is noted again. -#}
{% macro progress_taken_back() -%}
    {{ return("delete from " ~ frontier_progress_relation() ~ " where model = '" ~ model.name ~ "'") }}
{%- endmacro %}

{% macro progress_noted(plan) -%}
    {{ return([
        progress_taken_back(),
        "insert into " ~ frontier_progress_relation() ~ " (model, sequence, generation, parents_generation, fingerprint) values ('"
        ~ model.name ~ "', " ~ plan.sequence ~ ", '" ~ [plan.generation, plan.parents_generation, plan.fingerprint] | join("', '") ~ "')",
    ]) }}
{%- endmacro %}

{#- The names under which the progress of what a node is made of is kept. -#}
{% macro made_of(node) -%}
    {%- set names = [] -%}
    {%- for unique_id in node.config.get('made_of', []) -%}{%- do names.append(unique_id.split('.')[-1]) -%}{%- endfor -%}
    {{ return(names) }}
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
        {%- for result in results if result.node.resource_type == 'seed' and result.status | string == 'success' -%}{%- do loaded.append(result.node) -%}{%- endfor -%}
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

{#-
Why a run makes tables anew that are there: {model name: 'table: reason'}. `progress` is that of all models. A table follows its parents, so this is asked
of these first. What a run makes for the first time is not among them.
-#}
{% macro reasons_to_rebuild(names, progress) -%}
    {%- set reasons = {} -%}
    {%- set asked = {} -%}
    {%- for node in graph.nodes.values() if node.name in names and is_stored(node) -%}{%- do note_reason(node, names, progress, reasons, asked) -%}{%- endfor -%}
    {{ return(reasons) }}
{%- endmacro %}

{% macro note_reason(node, names, progress, reasons, asked) -%}
    {%- if node.name not in asked -%}
        {%- do asked.update({node.name: true}) -%}
        {%- set own = progress.get(node.name) -%}
        {%- set is_there = load_cached_relation(relation_of(node)) is not none -%}
        {%- set fingerprint = fingerprint_of(node, progress) -%}
        {%- set parents = generation_parents(node) -%}
        {%- for parent in parents if parent.name in names -%}{%- do note_reason(parent, names, progress, reasons, asked) -%}{%- endfor -%}
        {%- set rebuilt = [] -%}
        {%- for parent in parents if parent.name in reasons -%}{%- do rebuilt.append(table_name(parent)) -%}{%- endfor -%}
        {%- set reason = none -%}
        {%- if not is_there -%}
        {%- elif node.config.materialized != 'date_overwrite' and flags.FULL_REFRESH -%}
            {%- set reason = '--full-refresh asks for it' -%}
        {%- elif own is none or not own.fingerprint -%}
            {%- set reason = 'an earlier version made it, or a run that did not end' -%}
        {%- elif fingerprint is not none and own.fingerprint != fingerprint -%}
            {%- set reason = 'its SQL has changed: the model, a macro, a var or a seed' -%}
        {%- elif rebuilt -%}
            {%- set reason = rebuilt | join(', ') ~ (' is' if rebuilt | length == 1 else ' are') ~ ' made anew' -%}
        {%- elif node.config.materialized != 'date_overwrite' and own.parents_generation != parents_generation(node, progress) -%}
            {%- set reason = 'a table above it was made anew' -%}
        {%- endif -%}
        {%- if reason -%}{%- do reasons.update({node.name: table_name(node) ~ ': ' ~ reason}) -%}{%- endif -%}
    {%- endif -%}
{%- endmacro %}

{% macro table_name(node) -%}
    {{ return(plain_schema(relation_of(node)) ~ '.' ~ node.alias) }}
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
    {%- for parent in generation_parents(node) -%}{%- do generations.append(progress[parent.name].generation if parent.name in progress else 'never built') -%}{%- endfor -%}
    {{ return(generations | join(' ')) }}
{%- endmacro %}

{#- The text of a hook that starts a run. Says which tables the run makes anew, and stops where the var rebuild is ask. Then it takes the notes of seeds back that
    other files are loaded for: what such a seed holds is unknown until the run has ended. -#}
{% macro prepare_rebuilds() -%}
    {%- if execute and flags.WHICH in ('run', 'build', 'seed') -%}
        {%- set progress = frontier_progress() -%}
        {%- if flags.WHICH != 'seed' -%}{%- do announce_rebuilds(progress) -%}{%- endif -%}
        {%- set changed = [] -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'seed' and node.unique_id in selected_resources and node.name in progress -%}
            {%- if progress[node.name].fingerprint != node.checksum.checksum -%}{%- do changed.append(node.name) -%}{%- endif -%}
        {%- endfor -%}
        {%- if changed -%}delete from {{ frontier_progress_relation() }} where model in ('{{ changed | join("', '") }}'){%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- The var models_of_run has the names of all that the run makes, of which a command may be a part. -#}
{% macro announce_rebuilds(progress) -%}
    {%- set names = var('models_of_run', none) -%}
    {%- if names is none -%}
        {%- set names = [] -%}
        {%- for unique_id in selected_resources -%}{%- do names.append(unique_id.split('.')[-1]) -%}{%- endfor -%}
    {%- endif -%}
    {%- set lines = [] -%}
    {%- for line in reasons_to_rebuild(names, progress).values() -%}{%- do lines.append('  ' ~ line) -%}{%- endfor -%}
    {%- set graph_made_by = var('identity_fingerprint', none) -%}
    {%- if graph_made_by and progress.get('identity_graph', {}).get('fingerprint') and progress.identity_graph.fingerprint != graph_made_by -%}
        {%- do lines.append('  core.identity_graph: its settings or its code have changed') -%}
    {%- endif -%}
    {%- if lines and var('rebuild', 'auto') == 'ask' -%}
        {% do exceptions.raise_compiler_error(
            'SESSIONIZATION_REBUILD is ask, and this run would make tables anew, from all rows of the tables above them:\n' ~ lines | join('\n')
            ~ '\nNo table was written. To have it done, set SESSIONIZATION_REBUILD=auto for this run; or take the change back.'
        ) %}
    {%- elif lines -%}
        {% do log('This run makes tables anew, from all rows of the tables above them:\n' ~ lines | join('\n'), info=true) %}
    {%- endif -%}
{%- endmacro %}

{#- True while the text of a model is compiled for its fingerprint: the same whatever the warehouse holds, which is not asked. A macro that depends
    on it then gives a text that names what it would ask for. -#}
{% macro is_text_only() -%}{{ return(flags.WHICH == 'compile' and var('text_only', false)) }}{%- endmacro %}
