{#-
The last row of each entity, for frontier models that need columns of it (config.prior_columns). internal.<model>__last holds these rows, written in
the transaction of the table's own rows. For most entities a run's frontier lies after that row. For the others the row before the frontier is
looked for in the table, from the entity's first session on.
-#}

{% macro last_row_relation(model_name) -%}{{ return(internal_relation(model_name ~ '__last')) }}{%- endmacro %}
{% macro prior_relation() -%}{{ return(internal_relation(model.name ~ '__prior')) }}{%- endmacro %}

{#- For the model's text: one row per entity of the run with a row before the frontier: entity, row_at (its time), and the columns of
    config.prior_columns. Empty if everything is made anew; `types` then gives each column a type. -#}
{% macro prior_rows(types) -%}
    {%- if is_frontier_run() -%}
    select * from {{ prior_relation() }}
    {%- else -%}
    select
        cast(null as {{ dbt.type_string() }}) as entity,
        {{ null_timestamp() }} as row_at{% for column, type in types.items() %},
        cast(null as {{ type }}) as {{ column }}{% endfor %}
    from (select 1 as one) as nothing
    where false
    {%- endif -%}
{%- endmacro %}

{#- Each entity's last row by config.prior_order, among the rows of a table (or a join with it) that meet the condition. -#}
{% macro last_rows(rows, condition=none) -%}
    select {{ config.get('entity') }} as entity, {{ config.get('at') }} as row_at, {{ config.get('prior_columns') | join(', ') }}
    from {{ rows }}
    where {{ condition or since_ever(config.get('date')) }}
    qualify row_number() over (partition by {{ config.get('entity') }} order by {{ config.require('prior_order') | join(' desc, ') }} desc) = 1
{%- endmacro %}

{% macro find_prior_rows(relation, frontier, root) -%}
    {%- set last = last_row_relation(model.name) -%}
    {%- set moved_back -%}
        select frontier.entity, frontier.reprocess_from
        from {{ frontier }} as frontier
        inner join {{ last }} as last_row on frontier.entity = last_row.entity
        where last_row.row_at >= {{ as_at('frontier.reprocess_from') }}
    {%- endset -%}
    {%- set query -%}
        select
            count(*) as entities,
            {{ date_text('min(state.first_session_at)') }} as since,
            {{ date_text('max(moved_back.reprocess_from)') }} as until
        from ({{ moved_back }}) as moved_back
        inner join {{ state_relation(root) }} as state on moved_back.entity = state.entity
    {%- endset -%}
    {%- set bounds = run_query(query)[0] -%}
    {%- set prior -%}
        select last_row.*
        from {{ last }} as last_row
        inner join {{ frontier }} as frontier on last_row.entity = frontier.entity and last_row.row_at < {{ as_at('frontier.reprocess_from') }}
        {%- if bounds['entities'] > 0 %}
        union all
        {% set earlier -%}
            {{ relation }}
            inner join ({{ moved_back }}) as moved_back
                on moved_back.entity = {{ config.get('entity') }} and {{ as_at('moved_back.reprocess_from') }} > {{ config.get('at') }}
        {%- endset -%}
        {%- set dates = config.get('date') ~ " >= date '" ~ bounds['since'] ~ "' and " ~ config.get('date') ~ " <= date '" ~ bounds['until'] ~ "'" -%}
        select * from ({{ last_rows(earlier, dates) }}) as earlier_row
        {%- endif %}
    {%- endset -%}
    {% call statement('find_prior_rows') -%}{{ table_of(prior_relation(), prior) }}{%- endcall %}
{%- endmacro %}

{#- Statements after the table is rewritten: the last rows of the run's entities, from `this_run`, or else the rows before the frontier. -#}
{% macro last_row_statements(this_run, frontier) -%}
    {%- set last = last_row_relation(model.name) -%}
    {%- set deletion -%}
        delete from {{ last }} where entity in (select entity from {{ frontier }})
    {%- endset -%}
    {%- set without_rows -%}
        select * from {{ prior_relation() }} where entity not in (select entity from {{ last }})
    {%- endset -%}
    {{ return([deletion, insert_into(last, last_rows(this_run)), insert_into(last, without_rows)]) }}
{%- endmacro %}
