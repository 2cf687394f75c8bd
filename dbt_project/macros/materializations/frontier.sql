{#-
Materialisation `frontier`: rewrites the rows at or after each entity's frontier (macros/materializations/frontier_plan.sql defines it).

config
  entity        expression over the table's columns that names the entity
  entity_kind   roots only: 'visitor', or 'alias' if an entity is an id as events have it. The check matches_full_rebuild finds the rows of
                a sample of visitors by it
  at            expression over the table's columns that rewrite_from is compared with
  date          the table's date column, which bounds every statement (not set: the table has one row per entity)
  rewrite_from  'frontier': rows with at >= the frontier (default)
                'previous_session': from the start of the session before the frontier on. The model gives that session's row again
                (prior_session) with its changes
                'date': whole dates, from the frontier's date on; `at` is a date then
  sessions      roots only: false if the rows are in no sessions (default true: the columns are those of in_sessions)
  requests      marks a root: name of a macro that gives a condition on the event type, for the events that it takes
  requested_by  roots only: name of a macro that gives an expression over core.events for the entity (default: the alias's visitor)
  keeps_requests  roots only: true if internal.<root>__requests is to hold the requests of each partition's last run
  prior_columns columns that the model needs of the entity's last row before the frontier. prior_rows(...) gives them, one row per
                entity that has such a row. prior_order names the columns that order the rows
  stored_by     how the table is divided in storage, if not by date (macros/warehouse/storage.sql)
-#}
{% materialization frontier, default %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set plan = frontier_plan() -%}

    {{ run_hooks(pre_hooks) }}
    {%- set statements = statements_for_all(plan, target_relation, sql) if plan.is_whole
        else statements_from_frontier(plan, target_relation, sql) -%}
    {%- do in_transaction(statements.before, statements.main, statements.after + progress_noted(plan)) -%}
    {%- do remember_progress(plan) -%}
    {%- if statements.is_kept -%}
        {%- do run_memory().this_run.update({model.name: {'after': plan.followed_sequence, 'sequence': plan.sequence}}) -%}
    {%- endif -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{% macro statements_for_all(plan, target_relation, sql) -%}
    {%- do make_room(model_layout()) -%}
    {%- set after = [] -%}
    {%- if plan.has_state -%}
        {%- do after.append(table_of(state_relation(model.name), state_rows(target_relation), {'sorted_by': ['entity']})) -%}
    {%- endif -%}
    {{ return({
        'before': [progress_taken_back()],
        'main': table_of(target_relation, in_order_of_days(sql, config.get('date')), model_layout()),
        'after': after,
        'is_kept': false,
    }) }}
{%- endmacro %}

{% macro statements_from_frontier(plan, target_relation, sql) -%}
    {%- set frontier = frontier_relation(model.name) -%}
    {%- set bounds = frontier_bounds() -%}
    {%- if bounds.entities == 0 -%}{{ return({'before': [], 'main': none, 'after': [], 'is_kept': false}) }}{%- endif -%}
    {#- The written rows are kept in a table for the rest of this run's statements and for the models below. Rows that depend on the table's own rows are
        computed before those are deleted. -#}
    {%- set this_run = this_run_relation(model.name) -%}
    {%- set reads_itself = config.get('rewrite_from') == 'previous_session' -%}
    {%- set is_kept = plan.is_root or plan.has_state or reads_itself or is_followed() -%}
    {%- if is_kept -%}
        {% call statement('write_this_run') %}{{ table_of(this_run, sql) }}{% endcall %}
    {%- endif -%}
    {#- Rollups learn of the deleted rows and of the inserted ones. -#}
    {{ return({
        'before': note_changed_keys(frontier, of_entities=true) + note_changed_keys(rows_at_or_after(target_relation, frontier, bounds))
            + deletions(target_relation, frontier, bounds),
        'main': insert_into(target_relation, 'select * from ' ~ this_run, this_run) if is_kept else insert_into(target_relation, sql),
        'after': note_changed_keys(this_run) + (state_statements(this_run, frontier) if plan.has_state else [])
            + (root_statements(plan, frontier) if plan.is_root else []),
        'is_kept': is_kept,
    }) }}
{%- endmacro %}

{#- What a run rewrites: {'entities': how many, 'since', 'since_previous_session': dates, 'has_unread_events': of a root}. The first call, from the model's
    text, finds the frontier. -#}
{% macro frontier_bounds() -%}
    {%- set plan = frontier_plan() -%}
    {%- if 'bounds' not in plan -%}{%- do plan.update({'bounds': find_frontier(plan)}) -%}{%- endif -%}
    {{ return(plan.bounds) }}
{%- endmacro %}

{% macro find_frontier(plan) -%}
    {%- set frontier = frontier_relation(model.name) -%}
    {%- set changes = requests_by_entity(this, plan) if plan.is_root else followed_changes(plan) -%}
    {% call statement('find_frontier') -%}
        {{ table_of(frontier, frontier_after(changes, state_relation(model.name), plan)) }}
    {%- endcall %}
    {%- set query -%}
        select
            count(*) as entities,
            {{ date_text('min(reprocess_from)') }} as since,
            {{ date_text('min(coalesce(previous_session_at, reprocess_from))') }} as since_previous_session
            {%- if plan.is_root %},
            max(has_unread_events) as has_unread_events
            {%- endif %}
            {%- if plan.has_state %},
            {{ date_text('min(case when is_earlier then first_session_at end)') }} as earlier_since,
            {{ date_text('max(case when is_earlier then reprocess_from end)') }} as earlier_until
            {%- endif %}
        from {{ frontier }}
    {%- endset -%}
    {%- set bounds = run_query(query)[0] -%}
    {%- if plan.has_state and bounds['earlier_since'] -%}
        {%- set states = '(' ~ earlier_states(this, frontier, bounds['earlier_since'], bounds['earlier_until']) ~ ')' -%}
        {%- set changes -%}
            select
                entity,
                {{ 'requests,' if config.get('keeps_requests') }}
                reprocess_from,
                {{ 'has_unread_events' if plan.is_root else 'previous_session_at' }}
            from {{ frontier }}
            where is_earlier
        {%- endset -%}
        {%- set completed -%}
            select * from {{ frontier }}
            where not is_earlier
            union all
            select * from ({{ frontier_after(changes, states, plan) }}) as earlier
        {%- endset -%}
        {% call statement('find_earlier_frontier') -%}{{ table_of(frontier, completed) }}{%- endcall %}
        {#- A root may have moved back to the start of a session. -#}
        {%- if plan.is_root -%}{%- set bounds = run_query(query)[0] -%}{%- endif -%}
    {%- endif -%}
    {{ return({
        'entities': bounds['entities'],
        'since': bounds['since'] or after_all(),
        'since_previous_session': bounds['since_previous_session'] or after_all(),
        'has_unread_events': plan.is_root and bounds['has_unread_events'] == 1,
    }) }}
{%- endmacro %}

{#- The frontier: this run's changes, one row per entity, and what `states` says about the time before them. -#}
{% macro frontier_after(changes, states, plan) -%}
    {%- if plan.has_state and config.get('prior_columns') -%}
        {{ return(frontier_with_prior_rows(changes, states, plan.root)) }}
    {%- elif plan.has_state -%}
        {{ return(frontier_of_sessions(changes, states)) }}
    {%- endif -%}
    {{ return(frontier_without_sessions(changes) if plan.is_root else changes) }}
{%- endmacro %}

{#- The condition on the table's rows that this run rewrites, each joined with its entity's row of the frontier. DuckDB turns the few entities of a
    join into a filter of its scan. It does not do so for an `exists` with an inequality, which takes some twenty times as long. -#}
{% macro frontier_condition() -%}
    frontier.entity = {{ config.require('entity') }} and {{ as_at(rewritten_since()) }} <= {{ config.get('at') }}
{%- endmacro %}

{#- The statements that delete those rows. -#}
{% macro deletions(relation, frontier, bounds) -%}{{ return(adapter.dispatch('deletions')(relation, frontier, bounds)) }}{%- endmacro %}
{% macro default__deletions(relation, frontier, bounds) -%}
    {%- set statements = [] -%}
    {%- for part in parts_since(bounds) -%}
        {%- do statements.append('delete from ' ~ relation ~ ' using ' ~ frontier ~ ' as frontier where ' ~ frontier_condition() ~ ' and ' ~ part) -%}
    {%- endfor -%}
    {{ return(statements) }}
{%- endmacro %}
{% macro bigquery__deletions(relation, frontier, bounds) -%}
    {%- set deletion -%}
        delete from {{ relation }}
        where {{ since_date(bounds) }} and exists (select 1 from {{ frontier }} as frontier where {{ frontier_condition() }})
    {%- endset -%}
    {{ return([deletion]) }}
{%- endmacro %}

{#- Bounds on those rows, each for a part of them. On DuckDB one part has the rows of recent frontiers: nearly all rows, at the table's end. Another
    has those of backdated frontiers. It reads the whole table, which costs less for a few entities than for all. -#}
{% macro parts_since(bounds) -%}{{ return(adapter.dispatch('parts_since')(bounds)) }}{%- endmacro %}
{% macro default__parts_since(bounds) -%}
    {%- if not config.get('date') or bounds[since_bound()] >= recent_date() -%}{{ return([since_date(bounds)]) }}{%- endif -%}
    {{ return([
        since_date({since_bound(): recent_date()}) ~ ' and ' ~ is_recent(rewritten_since()),
        since_date(bounds) ~ ' and not (' ~ is_recent(rewritten_since()) ~ ')',
    ]) }}
{%- endmacro %}
{% macro bigquery__parts_since(bounds) -%}{{ return([since_date(bounds)]) }}{%- endmacro %}

{#- A root's rows that this run rewrites, but for those of days that were written since the last run: core.events has these. The others are as core.events
    has them. Where an alias has moved, both visitors are in the frontier, from the alias's first event on. So the rows of all its events are here,
    whoever they belonged to. -#}
{% macro rows_of_other_days() -%}
    {%- for part in parts_since(frontier_bounds()) %}
    {{ 'union all ' if not loop.first }}select stream.*
    from {{ this }} as stream
    inner join {{ frontier_relation(model.name) }} as frontier on {{ frontier_condition() }}
    where {{ part }} and not {{ in_days(config.get('date'), frontier_plan().days) }}
    {%- endfor %}
{%- endmacro %}

{#- Those rows, for use after `from`. -#}
{% macro rows_at_or_after(relation, frontier, bounds) -%}
    {{ relation }} inner join {{ frontier }} as frontier on {{ frontier_condition() }} where {{ since_date(bounds) }}
{%- endmacro %}

{#- A bound by literals on the dates of the rows that this run rewrites; true if the table has no date. -#}
{% macro since_date(bounds) -%}
    {%- set since = bounds[since_bound()] -%}
    {%- set column = partition_column(config) -%}
    {%- set conditions = [] -%}
    {%- if column and column != config.get('date') -%}{%- do conditions.append(column ~ ' >= ' ~ start_of_date(since, -1)) -%}{%- endif -%}
    {%- if config.get('date') -%}{%- do conditions.append(config.get('date') ~ " >= date '" ~ since ~ "'") -%}{%- endif -%}
    {{ return(conditions | join(' and ') or 'true') }}
{%- endmacro %}

{#- The moment from which an entity's rows of this table are rewritten. -#}
{% macro rewritten_since() -%}
    {%- if config.get('rewrite_from') == 'previous_session' -%}{{ return('coalesce(frontier.previous_session_at, frontier.reprocess_from)') }}{%- endif -%}
    {{ return('frontier.reprocess_from') }}
{%- endmacro %}

{#- A moment of the frontier in the form that config.at is compared with: the moment, or its date. -#}
{% macro as_at(moment) -%}{{ return(local_date(moment) if config.get('rewrite_from') == 'date' else moment) }}{%- endmacro %}

{#- The name of the run's bound that is the earliest date of that moment. -#}
{% macro since_bound() -%}{{ return('since_previous_session' if config.get('rewrite_from') == 'previous_session' else 'since') }}{%- endmacro %}

{#- The local date of a timestamp as text; null for null. -#}
{% macro date_text(at) -%}cast({{ local_date(at) }} as {{ dbt.type_string() }}){%- endmacro %}

{#- A model below the root: for each entity, the earliest frontier that the root has noted and this model has not followed yet. Nothing
    before an entity's earliest frontier has changed since, so that note is still right about the time before it. -#}
{% macro followed_changes(plan) -%}
    select entity, reprocess_from, previous_session_at
    from {{ change_queue() }}
    where origin = '{{ plan.root }}' and sequence > {{ plan.followed_sequence }} and sequence <= {{ plan.sequence }}
    qualify row_number() over (partition by entity order by reprocess_from, sequence desc) = 1
{%- endmacro %}

{#- Whether some model follows this one, or sums it up, and so reads the rewritten rows. -#}
{% macro is_followed() -%}
    {%- for node in graph.nodes.values() if node.config.materialized in ('frontier', 'rollup') and model.unique_id in node.depends_on.nodes -%}
        {{ return(true) }}
    {%- endfor -%}
    {{ return(false) }}
{%- endmacro %}

{#- The text of a hook at the end of a run. Drops the tables of rows that models wrote, as only the run needs them. -#}
{% macro drop_rows_of_this_run() -%}
    {%- if execute and flags.WHICH in ('run', 'build') -%}
        {%- for name in run_memory().this_run %}
    drop table if exists {{ this_run_relation(name) }};
        {%- endfor %}
    {%- endif -%}
{%- endmacro %}
