{#-
internal.change_queue holds what changed in a table, for the tables that are made from it, in the order of the runs. A writer notes a change in the
transaction of its rows. A follower keeps the number up to which it has followed (internal.frontier_progress), in the transaction of its own
rows. So no run is owed: what a run left out or did not reach is done by the next run of any day.

origin          note                                                                      followed by
events          a day of core.events was written                                          identity_edges, the roots of frontiers
identity_edges  a day of core.identity_edges was written                                  identity_graph (sessionization_dagster/identity_store)
identity_graph  an alias is new or another visitor's (partition_date: its run's first day)  the roots of frontiers by visitor
-#}

{% macro change_queue() -%}{{ return(internal_relation('change_queue')) }}{%- endmacro %}

{#- Followers that are never rebuilt whole. A note is kept until they have followed it, also before their first run. -#}
{% macro lasting_followers() -%}{{ return(['identity_edges', 'identity_graph']) }}{%- endmacro %}

{#- For a hook before every run. Creates the table and its followers' numbers, and deletes the notes that all followers have followed. -#}
{% macro create_change_queue() -%}
    create table if not exists {{ change_queue() }} (
        sequence {{ type_bigint() }},
        origin {{ dbt.type_string() }},
        event_date date,
        alias {{ dbt.type_string() }},
        previous_visitor_id {{ dbt.type_string() }},
        dbt_visitor_id {{ dbt.type_string() }},
        partition_date date
    );
    {%- for follower in lasting_followers() %}
    insert into {{ frontier_progress_relation() }} (model, sequence, generation, parents_generation, fingerprint)
    select '{{ follower }}', 0, '', '', '' from (select 1 as one) as nothing
    where not exists (select 1 from {{ frontier_progress_relation() }} where model = '{{ follower }}');
    {%- endfor %}
    {%- if execute %}
    {%- set followers = lasting_followers() + frontier_roots() | map(attribute='name') | list %}
    delete from {{ change_queue() }}
    where sequence <= (select min(sequence) from {{ frontier_progress_relation() }} where model in ('{{ followers | join("', '") }}'));
    {%- endif %}
{%- endmacro %}

{% macro frontier_roots() -%}
    {%- set roots = [] -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.config.materialized == 'frontier' and node.config.get('requests') -%}
        {%- do roots.append(node) -%}
    {%- endfor -%}
    {{ return(roots) }}
{%- endmacro %}

{#- The statement that notes days (ISO dates) of the current model. A number above all that any follower has seen. -#}
{% macro note_days(days) -%}
    insert into {{ change_queue() }} (sequence, origin, event_date, partition_date)
    select known.sequence + 1, '{{ model.name }}', days.event_date, days.event_date
    from (
        {% for day in days %}select date '{{ day }}' as event_date{{ ' union all ' if not loop.last }}{% endfor %}
    ) as days
    cross join (
        select coalesce(max(sequence), 0) as sequence
        from (select sequence from {{ change_queue() }} union all select sequence from {{ frontier_progress_relation() }}) as seen
    ) as known
{%- endmacro %}

{#- The newest number in the queue; 0 for none. -#}
{% macro newest_change() -%}
    {{ return(run_query('select coalesce(max(sequence), 0) as sequence from ' ~ change_queue())[0]['sequence'] | int) }}
{%- endmacro %}

{#- ISO dates that an origin noted in (after, until]. -#}
{% macro noted_days(origin, after, until) -%}
    {%- set days = [] -%}
    {%- for row in run_query(
        'select distinct cast(event_date as ' ~ dbt.type_string() ~ ') as day from ' ~ change_queue() ~ " where origin = '" ~ origin
        ~ "' and sequence > " ~ after ~ ' and sequence <= ' ~ until ~ ' order by 1'
    ) -%}
        {%- do days.append(row['day']) -%}
    {%- endfor -%}
    {{ return(days) }}
{%- endmacro %}

{#- The run's window as ISO dates. -#}
{% macro days_of_window() -%}
    {%- set days = [] -%}
    {%- for day in range([window_days(), 1] | max) -%}{%- do days.append(shifted(window_start(), day)) -%}{%- endfor -%}
    {{ return(days) }}
{%- endmacro %}

{#- A condition by literals, so that storage can skip the rest: a date column is one of these days. -#}
{% macro in_days(date, days) -%}
    {%- set ranges = [] -%}
    {%- for day in days | sort -%}
        {%- set first = ranges.pop()[0] if ranges and shifted(ranges[-1][1], 1) == day else day -%}
        {%- do ranges.append([first, day]) -%}
    {%- endfor -%}
    {%- set conditions = [] -%}
    {%- for first, last in ranges -%}
        {%- do conditions.append('(' ~ date ~ " >= date '" ~ first ~ "' and " ~ date ~ " <= date '" ~ last ~ "')") -%}
    {%- endfor -%}
    {{ return('(' ~ (conditions | join(' or ') or 'false') ~ ')') }}
{%- endmacro %}

{#- For the text of a model by day that follows another one (config.follows): the days that it has not followed, and the run's. -#}
{% macro in_days_to_write(date) -%}{{ return(in_days(date, day_plan().days)) }}{%- endmacro %}

{#- Which days this run of a model by day writes, and how far it has followed the queue then. Kept in `model`, as frontier_plan is. -#}
{% macro day_plan() -%}
    {%- if not config.get('follows') or not execute or flags.WHICH not in ('run', 'build') -%}{{ return({'days': days_of_window()}) }}{%- endif -%}
    {%- if 'day_plan' not in model -%}
        {%- set own = frontier_progress([model.name]).get(model.name, {'sequence': 0}).sequence -%}
        {%- set sequence = newest_change() -%}
        {%- set days = (days_of_window() + noted_days(config.get('follows'), own, sequence)) | unique | list -%}
        {%- do model.update({'day_plan': {'days': days, 'sequence': sequence}}) -%}
    {%- endif -%}
    {{ return(model.day_plan) }}
{%- endmacro %}
