{#-
The frontier: per entity (a visitor), the earliest moment from which the entity's rows in the tables can be out of date.

One *root* model (core.session_events for visitors) turns events into the entity's ordered stream, cut into sessions. It follows the change queue
(macros/materializations/change_queue.sql): days of core.events that were written and aliases that moved. Its materialisation works out the
frontier, aligned to the start of the session that may still have been open, rewrites the stream from there on, and in the same
transaction
  - stores one row per entity in internal.<root>__state: where its last sessions were, so that a new day need not read history;
  - notes in the queue what it rewrote.
Every model below the root is a function of the root's table. It stores the sequence number up to which it has followed these notes
(internal.frontier_progress). When it runs, it rewrites the rows at or after the earliest unfollowed frontier of each entity. After any
run a table equals its query over the table above it, and the run costs what changed since the last one. So partitions may run in any
order and any number of times, and a run may leave out tables.

A model follows its parents only as far as these have come, and is rebuilt whole when the SQL that makes it has changed
(macros/materializations/progress.sql), or when a parent was rebuilt whole.
-#}

{% macro internal_relation(identifier) -%}
    {{ return(api.Relation.create(
        database=target.database, schema=generate_schema_name('internal', none), identifier=identifier, type='table')) }}
{%- endmacro %}

{% macro frontier_relation(model_name) -%}{{ return(internal_relation(model_name ~ '__frontier')) }}{%- endmacro %}
{% macro this_run_relation(model_name) -%}{{ return(internal_relation(model_name ~ '__this_run')) }}{%- endmacro %}
{% macro requests_relation(root_name) -%}{{ return(internal_relation(root_name ~ '__requests')) }}{%- endmacro %}

{#- The models of a materialisation that a node reads. -#}
{% macro parents_made_by(materialization, node) -%}
    {%- set parents = [] -%}
    {%- for unique_id in node.depends_on.nodes if unique_id in graph.nodes and graph.nodes[unique_id].config.materialized == materialization -%}
        {%- do parents.append(graph.nodes[unique_id]) -%}
    {%- endfor -%}
    {{ return(parents) }}
{%- endmacro %}

{#- The nearest frontier models above a node, which it follows. A root has no frontier model above it. -#}
{% macro frontier_parents(node) -%}{{ return(parents_made_by('frontier', node)) }}{%- endmacro %}

{% macro frontier_root(node) -%}
    {%- set parents = frontier_parents(node) -%}
    {%- if parents | length == 0 -%}{{ return(node) }}{%- endif -%}
    {{ return(frontier_root(parents[0])) }}
{%- endmacro %}

{#- How this run must treat the model. -#}
{% macro frontier_plan() -%}
    {%- set plans = run_memory().plans -%}
    {%- if model.unique_id not in plans -%}{%- do plans.update({model.unique_id: read_frontier_plan()}) -%}{%- endif -%}
    {{ return(plans[model.unique_id]) }}
{%- endmacro %}

{% macro read_frontier_plan() -%}
    {%- set parents = frontier_parents(model) -%}
    {%- set is_root = parents | length == 0 -%}
    {%- set progress = frontier_progress() -%}
    {%- set own = progress.get(model.name) -%}
    {%- set own_sequence = own.sequence if own else 0 -%}
    {%- set fingerprint = fingerprint_of(model, progress) or (own.fingerprint if own else '') -%}
    {%- set is_whole = reason_to_rebuild(model, progress) is not none -%}
    {%- set noted = noted_days('events', own_sequence) if is_root else {'days': []} -%}
    {%- set sequences = [] -%}
    {%- for parent in parents -%}{%- do sequences.append(progress[parent.name].sequence if parent.name in progress else 0) -%}{%- endfor -%}
    {%- set sequence = [own_sequence, noted.sequence] | max if is_root else sequences | min -%}
    {%- set parents_in_step = [] -%}
    {%- for parent in parents if run_memory().this_run.get(parent.name) == {'after': own_sequence, 'sequence': sequence} -%}
        {%- do parents_in_step.append(parent.name) -%}
    {%- endfor -%}
    {{ return({
        'is_root': is_root,
        'has_state': config.get('sessions', true) if is_root else config.get('prior_columns', []) | length > 0,
        'root': frontier_root(model).name,
        'is_whole': is_whole,
        'followed_sequence': own_sequence,
        'sequence': sequence,
        'days': noted.days,
        'parents_in_step': parents_in_step,
        'generation': invocation_id if is_whole else own.generation,
        'parents_generation': parents_generation(model, progress),
        'fingerprint': fingerprint,
    }) }}
{%- endmacro %}

{#- True while a model is rendered for changes only: rows at or after the frontier, or a rollup's changed keys. False for all of history: in the first
    build, in compile and docs, and in unit tests, which override it. -#}
{% macro is_frontier_run() -%}
    {%- if not execute or model.config.materialized not in ('frontier', 'rollup') or flags.WHICH not in ('run', 'build') -%}{{ return(false) }}{%- endif -%}
    {{ return(not frontier_plan().is_whole) }}
{%- endmacro %}

{#- The date of the run's earliest frontier, or `days_before` days earlier: a literal, so that storage can skip earlier rows. If everything is rebuilt,
    a date before all dates. -#}
{% macro frontier_date(days_before=0) -%}
    date '{{ shifted(frontier_bounds().since, -1 * days_before) if is_frontier_run() else before_all() }}'
{%- endmacro %}

{#- The date of the run's earliest start of a session before the frontier. -#}
{% macro prior_date() -%}date '{{ frontier_bounds().since_previous_session }}'{%- endmacro %}

{#- A date (YYYY-MM-DD) before every date that a row can have. -#}
{% macro before_all() -%}{{ return('0001-01-01') }}{%- endmacro %}

{#- A bound that every date meets, for reading a whole table where storage refuses to be read without a bound. -#}
{% macro since_ever(date) -%}{{ return((date ~ " >= date '" ~ before_all() ~ "'") if date else 'true') }}{%- endmacro %}

{#- A date (YYYY-MM-DD) after every date that a row can have. -#}
{% macro after_all() -%}{{ return('9999-12-31') }}{%- endmacro %}

{#- YYYY-MM-DD. Nearly all entities of a run have a recent frontier: it lies at or after this date. They have events in the window, or a session
    that was open when it began. The few backdated ones would make every entity read a whole table, so they are looked for separately. -#}
{% macro recent_date() -%}{{ return(shifted(window_start(), -1)) }}{%- endmacro %}

{#- Whether a moment of an entity's frontier is recent. -#}
{% macro is_recent(at) -%}{{ return(local_date(at) ~ " >= date '" ~ recent_date() ~ "'") }}{%- endmacro %}

{#- The parent's table, or the rows that the parent wrote in this run, if it has followed the same changes as this model now does. -#}
{% macro rewritten_rows(relation) -%}
    {%- if is_frontier_run() -%}
        {%- for parent in frontier_parents(model)
            if parent.alias == relation.identifier and parent.schema == relation.schema and parent.name in frontier_plan().parents_in_step -%}
            {{ return(this_run_relation(parent.name)) }}
        {%- endfor -%}
    {%- endif -%}
    {{ return(relation) }}
{%- endmacro %}

{#- The rows of a parent that the model must read; all rows of a view. `at` orders the rows, `date` is the parent's date column. A model that rewrites
    whole dates (rewrite_from: date) reads the parent's table: what the parent wrote in this run may begin in the middle of a date. -#}
{% macro from_frontier(relation, entity='dbt_visitor_id', at='timestamp', date='event_date') -%}
    {%- set by_date = config.get('rewrite_from') == 'date' -%}
    {%- set takes_prior = config.get('rewrite_from') == 'previous_session' and config.get('storable') -%}
    {%- if config.get('materialized') == 'view' -%}
    {{ relation }}
    {%- elif is_frontier_run() -%}
    (
        select parent.*
        from {{ relation if by_date else rewritten_rows(relation) }} as parent
        inner join {{ frontier_relation(model.name) }} as frontier
            on
                parent.{{ entity }} = frontier.entity
                and parent.{{ date if by_date else at }} >= {{ as_at(rewritten_since() if takes_prior else 'frontier.reprocess_from') }}
        where parent.{{ date }} >= {{ prior_date() if takes_prior else frontier_date() }}
    )
    {%- else -%}
    (select * from {{ relation }} where {{ date }} >= {{ frontier_date() }})
    {%- endif -%}
{%- endmacro %}

{#- The present row of the session before each entity's frontier, in a frontier run of a model that rewrites that session
    (rewrite_from: previous_session). -#}
{% macro prior_sessions(columns) -%}
    select {% for column in columns %}prior.{{ column }}{{ ', ' if not loop.last }}{% endfor %}
    from {{ this }} as prior
    inner join {{ frontier_relation(model.name) }} as frontier
        on prior.{{ config.get('entity') }} = frontier.entity and prior.{{ config.get('at') }} = frontier.previous_session_at
    where prior.{{ config.get('date') }} >= {{ prior_date() }}
{%- endmacro %}

{% macro null_timestamp() -%}cast(null as {{ dbt.type_timestamp() }}){%- endmacro %}
