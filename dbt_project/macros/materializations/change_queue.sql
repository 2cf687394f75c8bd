{#-
internal.change_queue holds the changes, in the order of the runs, for the tables that depend on them. A writer notes a change in the transaction
of its rows. A follower stores the number up to which it has followed (internal.frontier_progress), in the transaction of its own rows. So no run
is owed: the next run of any day does what an earlier run left out or did not reach.

origin          note                                                                        followed by
events          a day of core.events was written                                            identity_edges, user_agents (Python), the roots of frontiers
identity_edges  a day of core.identity_edges was written                                    identity_graph (sessionization_dagster/identity/store)
identity_graph  an alias is new or another visitor's (partition_date: its run's first day)  the roots of frontiers by visitor
a root          an entity was rewritten from reprocess_from on                              the frontier models below it
a rollup        entity is one of its keys, as text: its rows must be computed anew          the rollup

A rollup's notes have no number. It deletes them when it has followed them: its parents may have followed the queue to different numbers.
-#}

{% macro change_queue() -%}{{ return(internal_relation('change_queue')) }}{%- endmacro %}

{#- Followers that are not models. A note stays until they have followed it, also before their first run. -#}
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
        partition_date date,
        entity {{ dbt.type_string() }},
        reprocess_from {{ dbt.type_timestamp() }},
        previous_session_at {{ dbt.type_timestamp() }}
    );
    {%- for follower in lasting_followers() %}
    insert into {{ frontier_progress_relation() }} (model, sequence, generation, parents_generation, fingerprint)
    select '{{ follower }}', 0, '', '', '' from (select 1 as one) as nothing
    where not exists (select 1 from {{ frontier_progress_relation() }} where model = '{{ follower }}');
    {%- endfor %}
    {%- if execute %}
    {%- set models = models_made_by('frontier') | map(attribute='name') | join("', '") %}
    delete from {{ change_queue() }}
    where
        sequence <= (select min(sequence) from {{ frontier_progress_relation() }} where model in ('{{ models }}'))
        and (
            origin in ('{{ models }}')
            or sequence <= (
                select min(sequence) from {{ frontier_progress_relation() }} where model in ('{{ lasting_followers() | join("', '") }}')
            )
        );
    {%- endif %}
{%- endmacro %}

{% macro models_made_by(materialization) -%}
    {{ return(graph.nodes.values() | selectattr('resource_type', 'equalto', 'model')
        | selectattr('config.materialized', 'equalto', materialization) | list) }}
{%- endmacro %}

{#- The statement that notes days (ISO dates) of the current model. Its number is above all numbers that any follower has seen. -#}
{% macro note_days(days) -%}
    insert into {{ change_queue() }} (sequence, origin, event_date, partition_date)
    select known.sequence + 1, '{{ model.name }}', days.event_date, days.event_date
    from (
        {% for first, last in ranges_of_days(days) -%}
        select date_day as event_date from {{ all_dates(first, shifted(last, 1)) }} as in_range{{ ' union all ' if not loop.last }}
        {%- endfor %}
    ) as days
    cross join (
        select coalesce(max(sequence), 0) as sequence
        from (select sequence from {{ change_queue() }} union all select sequence from {{ frontier_progress_relation() }}) as seen
    ) as known
{%- endmacro %}

{#- {'sequence': the newest number in the queue (0 if it is empty), 'days': ISO dates that an origin noted after a number}. -#}
{% macro noted_days(origin, after) -%}
    {%- set query -%}
        select newest.sequence, cast(noted.event_date as {{ dbt.type_string() }}) as day
        from (select coalesce(max(sequence), 0) as sequence from {{ change_queue() }}) as newest
        left join (
            select distinct event_date from {{ change_queue() }} where origin = '{{ origin }}' and sequence > {{ after }}
        ) as noted on true
        order by 2
    {%- endset -%}
    {%- set rows = run_query(query) -%}
    {{ return({'sequence': rows[0]['sequence'] | int, 'days': rows | map(attribute='day') | reject('none') | list}) }}
{%- endmacro %}

{#- Whether a date is one of these days or, with a later date, whether all dates from it to that one are. The days are literals, so that storage can skip
    the rest. -#}
{% macro in_days(date, days, last_date=none) -%}
    (
        {%- for first, last in ranges_of_days(days) -%}
        ({{ date }} >= date '{{ first }}' and {{ last_date or date }} <= date '{{ last }}'){{ ' or ' if not loop.last }}
        {%- else -%}
        false
        {%- endfor -%}
    )
{%- endmacro %}
