{#-
Materialisation `frontier`: rewrites what lies at or after each entity's frontier (macros/sessions/frontier.sql says what that is).

config
  entity        expression over the table's columns that names the entity (default dbt_visitor_id)
  entity_kind   roots only: 'visitor', or 'alias' where an entity is an id as events carry it. Tells the check matches_full_rebuild which rows
                a sample of visitors has
  at            expression over the table's columns that rewrite_from is compared with
  date          the table's date column, bounds every statement (none: the table has one row per entity)
  rewrite_from  'frontier': rows with at >= the frontier (default)
                'previous_session': from the start of the session before the frontier, whose row tells when the next one starts
                'session_number': rows whose at (a number) is greater than the number of sessions before the frontier
                'everything': all rows of the entity
  requests      roots only: name of the model that says which entities to rewrite from when
                (partition_date, <entity>, reprocess_from)
  carries       columns of the entity's last row before the frontier that the model needs: it finds them in carried_rows(...), one row per
                entity that has such a row. carries_order names the columns by which a row is the last
  stored_by     how the table is divided in storage, where not by date (macros/warehouse/storage.sql)
-#}
{% materialization frontier, default %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set plan = frontier_plan() -%}

    {{ run_hooks(pre_hooks) }}
    {%- set statements = frontier_whole_statements(plan, target_relation, sql) if plan.is_whole
        else frontier_tail_statements(plan, target_relation, sql) -%}
    {%- do run_atomically(statements.before, statements.main, statements.after + frontier_progress_statements(plan)) -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{% macro frontier_whole_statements(plan, target_relation, sql) -%}
    {%- set after = [] -%}
    {%- if plan.is_root -%}
        {%- do after.append(table_of(log_relation(model.name), empty_log())) -%}
        {%- do after.append(table_of(state_relation(model.name), session_states(target_relation), {'sorted_by': ['entity']})) -%}
    {%- endif -%}
    {%- if config.get('carries') -%}
        {%- do after.append(table_of(last_row_relation(model.name), last_rows(target_relation), {'sorted_by': ['entity']})) -%}
    {%- endif -%}
    {{ return({
        'before': [frontier_progress_taken_back()],
        'main': table_of(target_relation, sql, model_layout()),
        'after': after,
    }) }}
{%- endmacro %}

{% macro frontier_tail_statements(plan, target_relation, sql) -%}
    {%- set frontier = frontier_relation(model.name) -%}
    {% call statement('find_frontier') -%}
        {{ table_of(frontier, requested_frontier(target_relation) if plan.is_root else followed_frontier(plan)) }}
    {%- endcall %}
    {%- set bounds = run_query(
        "select count(*) as entities, " ~ date_text('min(reprocess_from)') ~ " as since, "
        ~ date_text('min(coalesce(previous_session_at, reprocess_from))') ~ " as since_previous_session from " ~ frontier
    )[0] -%}
    {%- if bounds['entities'] == 0 -%}
        {{ return({'before': [], 'main': none, 'after': []}) }}
    {%- endif -%}
    {%- if config.get('carries') -%}{%- do find_carried_rows(target_relation, frontier, plan.root) -%}{%- endif -%}
    {%- set tail_sql = sql | replace('__frontier_date__', bounds['since']) -%}
    {%- set tail = at_or_after_frontier(frontier, bounds) -%}
    {#- Rollups learn of the rows that go and of those that come. -#}
    {%- set touched = touch_rollups(target_relation, tail) -%}
    {{ return({
        'before': touched + ['delete from ' ~ target_relation ~ ' where ' ~ tail],
        'main': insert_into(target_relation, tail_sql, get_columns_in_query(tail_sql)),
        'after': touched + (root_statements(plan, target_relation, frontier, bounds) if plan.is_root else [])
            + (last_row_statements(target_relation, frontier, bounds) if config.get('carries') else []),
    }) }}
{%- endmacro %}

{#- The condition on the table's rows that this run rewrites. -#}
{% macro at_or_after_frontier(frontier, bounds) -%}
    {%- set rewrite_from = config.get('rewrite_from', 'frontier') -%}
    {%- set conditions = {
        'frontier': 'frontier.reprocess_from <= ' ~ config.get('at'),
        'previous_session': 'coalesce(frontier.previous_session_at, frontier.reprocess_from) <= ' ~ config.get('at'),
        'session_number': 'frontier.sessions_before < ' ~ config.get('at'),
        'everything': 'true',
    } -%}
    {%- set since = bounds['since_previous_session'] if rewrite_from == 'previous_session' else bounds['since'] -%}
    {{ since_date(since) }}
    exists (
        select 1 from {{ frontier }} as frontier
        where frontier.entity = {{ config.get('entity', 'dbt_visitor_id') }} and {{ conditions[rewrite_from] }}
    )
{%- endmacro %}

{#- A date bound on the table's rows by literals, with a trailing `and`; nothing where the table has no date. -#}
{% macro since_date(date) -%}
    {%- set column = partition_column(config) -%}
    {% if column and column != config.get('date') %}{{ column }} >= {{ start_of_date(date, -1) }} and {% endif -%}
    {% if config.get('date') %}{{ config.get('date') }} >= date '{{ date }}' and {% endif -%}
{%- endmacro %}

{#- The local date of a timestamp as text; null where it is. -#}
{% macro date_text(at) -%}{{ return('cast(' ~ local_date(at) ~ ' as ' ~ dbt.type_string() ~ ')') }}{%- endmacro %}

{#- The model counts as never built until its progress is noted again. -#}
{% macro frontier_progress_taken_back() -%}
    {{ return("delete from " ~ frontier_progress_relation() ~ " where model = '" ~ model.name ~ "'") }}
{%- endmacro %}

{% macro frontier_progress_statements(plan) -%}
    {{ return([
        frontier_progress_taken_back(),
        "insert into " ~ frontier_progress_relation() ~ " (model, sequence, generation, parents_generation, fingerprint) values ('"
        ~ model.name ~ "', " ~ plan.sequence ~ ", '" ~ [plan.generation, plan.parents_generation, frontier_fingerprint()] | join("', '") ~ "')",
    ]) }}
{%- endmacro %}

{#- A model below the root: the earliest frontier of each entity that the root has logged and this model has not followed yet. Nothing
    before an entity's earliest frontier changed since, so what that entry says of the time before it still holds. -#}
{% macro followed_frontier(plan) -%}
    select entity, reprocess_from, sessions_before, previous_session_at
    from {{ log_relation(plan.root) }}
    where sequence > {{ plan.followed_sequence }} and sequence <= {{ plan.sequence }}
    qualify row_number() over (partition by entity order by reprocess_from, sequence desc) = 1
{%- endmacro %}
