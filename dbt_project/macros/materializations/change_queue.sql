{#-
internal.change_queue holds what changed in a table, for the tables that are made from it, in the order of the runs. A writer notes a change in the
transaction of its rows. A follower keeps the number up to which it has followed (internal.frontier_progress), in the transaction of its own
rows. So no run is owed: what a run left out or did not reach is done by the next run of any day.

origin          note                                                                      followed by
events          a day of core.events was written                                          identity_edges, user_agents (Python), the roots of frontiers
identity_edges  a day of core.identity_edges was written                                  identity_graph (sessionization_dagster/identity/store)
identity_graph  an alias is new or another visitor's (partition_date: its run's first day)  the roots of frontiers by visitor
-#}

{% macro change_queue() -%}{{ return(internal_relation('change_queue')) }}{%- endmacro %}

{#- Followers besides the roots. A note is kept until they have followed it, also before their first run. -#}
{% macro lasting_followers() -%}{{ return(['identity_edges', 'identity_graph', 'user_agents']) }}{%- endmacro %}

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

{#- A condition by literals, so that storage can skip the rest: a date column is one of these days. -#}
{% macro in_days(date, days) -%}
    {%- set conditions = [] -%}
    {%- for first, last in ranges_of_days(days) -%}
        {%- do conditions.append('(' ~ date ~ " >= date '" ~ first ~ "' and " ~ date ~ " <= date '" ~ last ~ "')") -%}
    {%- endfor -%}
    {{ return('(' ~ (conditions | join(' or ') or 'false') ~ ')') }}
{%- endmacro %}

{#- Which days this run of a model by day writes, whether that makes its table anew, and how far it has followed the queue then. Kept in `model`, as
    frontier_plan is. A table that is made anew has every day that it, or another table by day, has rows of: what was never run is not made. -#}
{% macro day_plan() -%}
    {%- if not writes_days() -%}{{ return({'days': days_of_run(), 'is_whole': false}) }}{%- endif -%}
    {%- if 'day_plan' not in model -%}{%- do model.update({'day_plan': read_day_plan()}) -%}{%- endif -%}
    {{ return(model.day_plan) }}
{%- endmacro %}

{% macro read_day_plan() -%}
    {%- set progress = frontier_progress([model.name] + made_of(model)) -%}
    {%- set own = progress.get(model.name, {'sequence': 0, 'generation': '', 'fingerprint': ''}) -%}
    {%- set fingerprint = fingerprint_of(model, progress) or own.fingerprint -%}
    {%- set is_whole = own.fingerprint != fingerprint or load_cached_relation(this) is none -%}
    {%- set sequence = newest_change() if config.get('follows') else 0 -%}
    {%- set others = written_days() if is_whole else noted_days(config.get('follows'), own.sequence, sequence) if config.get('follows') else [] -%}
    {{ return({
        'days': (days_of_run() + others) | unique | sort,
        'is_whole': is_whole,
        'is_noted': not is_whole and own.sequence == sequence,
        'sequence': sequence,
        'generation': own.generation if own.generation and not is_whole else invocation_id,
        'parents_generation': '',
        'fingerprint': fingerprint,
    }) }}
{%- endmacro %}

{#- ISO dates that tables by day have rows of, or have set rows aside of. -#}
{% macro written_days() -%}
    {%- set selects = [] -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.config.materialized == 'date_overwrite' -%}
        {%- for relation in [relation_of(node)] + ([set_aside_relation(node.name)] if node.config.get('sets_aside') else []) -%}
            {%- if load_cached_relation(relation) is not none -%}
                {%- do selects.append(
                    'select cast(' ~ node.config.date ~ ' as ' ~ dbt.type_string() ~ ') as day from ' ~ relation ~ ' where ' ~ since_ever(node.config.date)) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- if not selects -%}{{ return([]) }}{%- endif -%}
    {%- set days = [] -%}
    {%- for row in run_query('select distinct day from (' ~ selects | join(' union all ') ~ ') as written where day is not null') -%}{%- do days.append(row['day']) -%}{%- endfor -%}
    {{ return(days) }}
{%- endmacro %}
