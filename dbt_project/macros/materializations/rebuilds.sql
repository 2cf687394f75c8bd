{#- Says which tables a run will make anew, before it does. -#}

{#-
Why a run makes existing tables anew: {model name: 'table: reason'}. `progress` is that of all models. A table depends on its parents, so parents are
examined first. Tables that a run makes for the first time are left out.
-#}
{% macro reasons_to_rebuild(names, progress) -%}
    {%- set reasons = {} -%}
    {%- set asked = {} -%}
    {%- for node in graph.nodes.values() if node.name in names and is_stored(node) -%}
        {%- do note_reason(node, names, progress, reasons, asked) -%}
    {%- endfor -%}
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

{#- The text of a hook at the start of a run. Says which tables the run makes anew, and stops if the var rebuild is `ask`. Then it deletes the notes of
    seeds that are loaded from changed files: the content of such a seed is unknown until the run has ended. -#}
{% macro prepare_rebuilds() -%}
    {%- if execute and flags.WHICH in ('run', 'build', 'seed') -%}
        {%- set progress = frontier_progress() -%}
        {%- if flags.WHICH != 'seed' -%}{%- do announce_rebuilds(progress) -%}{%- endif -%}
        {%- set changed = [] -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'seed' and node.unique_id in selected_resources and node.name in progress -%}
            {%- if progress[node.name].fingerprint != node.checksum.checksum -%}{%- do changed.append(node.name) -%}{%- endif -%}
        {%- endfor -%}
        {%- for name in changed -%}{%- do progress.pop(name) -%}{%- endfor -%}
        {%- if changed -%}delete from {{ frontier_progress_relation() }} where model in ('{{ changed | join("', '") }}'){%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- The var models_of_run names everything that the run makes. A command may be a part of the run. -#}
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
