{#- Says which tables a run will rebuild, before it does. -#}

{#-
Why a run rebuilds existing tables: {model name: 'table: reason'}. `progress` is that of all models. A table depends on its parents, so parents are
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
        {%- set rebuilt = [] -%}
        {%- for parent in generation_parents(node) if parent.name in names -%}
            {%- do note_reason(parent, names, progress, reasons, asked) -%}
            {%- if parent.name in reasons -%}{%- do rebuilt.append(table_name(parent)) -%}{%- endif -%}
        {%- endfor -%}
        {%- set above = rebuilt | join(', ') ~ (' is' if rebuilt | length == 1 else ' are') ~ ' rebuilt' if rebuilt else none -%}
        {%- set reason = reason_to_rebuild(node, progress) or above -%}
        {%- if reason and load_cached_relation(relation_of(node)) is not none -%}
            {%- do reasons.update({node.name: table_name(node) ~ ': ' ~ reason}) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- Why a node's table must be rebuilt, as the tables above it are now; none if it need not. -#}
{% macro reason_to_rebuild(node, progress) -%}
    {%- set own = progress.get(node.name) -%}
    {%- set fingerprint = fingerprint_of(node, progress) -%}
    {%- set is_by_day = node.config.materialized == 'date_overwrite' -%}
    {%- if load_cached_relation(relation_of(node)) is none -%}
        {{ return('it does not exist') }}
    {%- elif flags.FULL_REFRESH and not is_by_day -%}
        {{ return('--full-refresh asks for it') }}
    {%- elif own is none or (fingerprint and not own.fingerprint) -%}
        {{ return('an earlier version made it, or a run that did not end') }}
    {%- elif fingerprint and own.fingerprint != fingerprint -%}
        {{ return('its SQL has changed: the model, a macro, a var or a seed') }}
    {%- elif not is_by_day and own.parents_generation != parents_generation(node, progress) -%}
        {{ return('a table above it was rebuilt') }}
    {%- endif -%}
    {{ return(none) }}
{%- endmacro %}

{% macro table_name(node) -%}
    {{ return(plain_schema(relation_of(node)) ~ '.' ~ node.alias) }}
{%- endmacro %}

{#- The text of a hook at the start of a run. Says which tables the run rebuilds, and stops if the var rebuild is `ask`. Then it deletes the notes of
    seeds that are loaded from changed files: the content of such a seed is unknown until the run has ended. -#}
{% macro prepare_rebuilds() -%}
    {%- if execute and flags.WHICH in ('run', 'build', 'seed') -%}
        {%- set progress = frontier_progress() -%}
        {%- for name in models_of_earlier_version() -%}{%- do progress.pop(name, none) -%}{%- endfor -%}
        {%- if flags.WHICH != 'seed' -%}{%- do announce_rebuilds(progress) -%}{%- endif -%}
        {%- set changed = [] -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'seed' and node.unique_id in selected_resources and node.name in progress -%}
            {%- if progress[node.name].fingerprint != node.checksum.checksum -%}{%- do changed.append(node.name) -%}{%- endif -%}
        {%- endfor -%}
        {%- for name in changed -%}{%- do progress.pop(name) -%}{%- endfor -%}
        {%- if changed -%}delete from {{ frontier_progress_relation() }} where model in ('{{ changed | join("', '") }}'){%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- The var models_of_run names everything that the run makes. A command may be a part of the run. Only a command with the var
    announces_rebuilds says what it rebuilds; all stop. -#}
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
            'SESSIONIZATION_REBUILD is ask, and this run would rebuild tables, from all rows of the tables above them:\n' ~ lines | join('\n')
            ~ '\nNo table but the raw ones was written. To have it done, set SESSIONIZATION_REBUILD=auto for this run; or take the change back.'
        ) %}
    {%- elif lines and var('announces_rebuilds', true) -%}
        {% do log('This run rebuilds tables, from all rows of the tables above them:\n' ~ lines | join('\n'), info=true) %}
    {%- endif -%}
{%- endmacro %}
