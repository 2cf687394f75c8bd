{#- The staged rows of the window's partitions. Each branch compares a raw column with literals, so that storage can skip the rest. A condition
    on the computed event_date alone would read all raw rows. -#}

{#- The rows that are set aside while core.events is made: the window's rejected rows, and all rows of a repeated event_id. core.events and
    core.rejected_events both read them. reason is null in the one row of a repeated event_id that is an event. copy_number is null in rejected rows. -#}
{% macro rows_set_aside() -%}
    with repeated as (
        {{ repeated_keys() }}
    ),

    copies as (
        {{ numbered_copies('repeated') }}
    ),

    rejected as (
        {{ rejected_rows_of_window() }}
    )

    select {{ set_aside_columns() | join(', ') }} from copies
    union all
    select {{ set_aside_columns() | join(', ') }} from rejected
{%- endmacro %}

{% macro set_aside_columns() -%}{{ return(event_columns() + ['source_file', 'raw', 'reason', 'id_key', 'copy_number']) }}{%- endmacro %}

{#- Good rows of the window, including duplicates. -#}
{% macro good_rows_of_window(columns='*') -%}
    select {{ columns }} from ({{ staged_events() }}) as staged
    where {{ near_window('timestamp') }} and {{ in_window('event_date') }} and reject_reason is null and {{ loaded_in_time() }}
{%- endmacro %}

{#- Rejected rows of the window, and all rejected rows without a day. -#}
{% macro rejected_rows_of_window() -%}
    {%- set columns = rejected_columns() -%}
    select {{ columns }} from ({{ staged_events() }}) as staged
    where {{ near_window('timestamp') }} and {{ in_window('event_date') }} and reject_reason is not null and not is_from_the_future and {{ loaded_in_time() }}
    union all
    select {{ columns }} from ({{ staged_events() }}) as staged
    where {{ near_window(arrived_at()) }} and {{ in_window('event_date') }} and reject_reason is not null and is_from_the_future and {{ loaded_in_time() }}
    union all
    select {{ columns }} from ({{ staged_events() }}) as staged
    where timestamp is null and (event_date is null or ({{ in_window('event_date') }})) and {{ loaded_in_time() }}
    {%- for arrived_outside in arrivals_outside_partitions() %}
    union all
    select {{ rejected_columns(event_date='cast(null as date)') }} from ({{ staged_events() }}) as staged
    where {{ is_dated_by_arrival() }} and {{ arrived_outside }}
    {%- endfor %}
{%- endmacro %}

{#- Staged rows in the columns of set_aside_columns. -#}
{% macro rejected_columns(event_date='event_date') -%}
    {%- for column in event_columns() -%}
    {{ event_date ~ ' as event_date' if column == 'event_date' else column }},
    {% endfor -%}
    source_file, rejected_raw as raw, reject_reason as reason, {{ id_key('event_id', 'event_date') }} as id_key,
    cast(null as {{ type_bigint() }}) as copy_number
{%- endmacro %}

{#- Conditions, for separate queries, on staged rows that arrived before the first partition or after the last. If the arrival dates such a row, it is in no
    run's partitions: it belongs to no day, and every run keeps it. BigQuery has no such conditions, because they would read all earlier raw rows. dbt
    alone has none either, because it does not know the partitions. -#}
{% macro arrivals_outside_partitions() -%}{{ return(adapter.dispatch('arrivals_outside_partitions')()) }}{%- endmacro %}
{% macro default__arrivals_outside_partitions() -%}
    {%- set conditions = [] -%}
    {%- set first, last = var('first_partition', none), var('last_partition', none) -%}
    {%- if first -%}
        {%- do conditions.append(arrived_at() ~ ' < ' ~ start_of_date(first, 1) ~ ' and ' ~ local_date(arrived_at()) ~ " < date '" ~ first ~ "'") -%}
    {%- endif -%}
    {%- if last -%}
        {%- do conditions.append(arrived_at() ~ ' >= ' ~ start_of_date(last, -1) ~ ' and ' ~ local_date(arrived_at()) ~ " > date '" ~ last ~ "'") -%}
    {%- endif -%}
    {{ return(conditions) }}
{%- endmacro %}
{% macro bigquery__arrivals_outside_partitions() -%}{{ return([]) }}{%- endmacro %}

{#- One row per key (id_key) that more than one good row of the window has: an event_id that occurs more than once on a date, or by chance
    two ids with the same number. Grouping numbers is several times faster than grouping texts, and leaves few ids to compare. -#}
{% macro repeated_keys() -%}
    select {{ id_key('event_id', 'event_date') }} as id_key
    from ({{ good_rows_of_window('event_id, event_date') }}) as good
    group by 1
    having count(*) > 1
{%- endmacro %}

{#- The rows whose event_id occurs more than once on a date, numbered: copy 1, the earliest, is the event. Ids that occur once are most of the
    table. They are left out, so they need no sorting and no JSON. The condition on times comes first, because storage can check it before it
    computes anything of a row. `repeated` is the name of a CTE of repeated_keys.

    Rows that differ in copy_key are not copies of each other. The earliest of them keeps the event_id (at the same time: the one with the smallest
    copy_key). Each other event gets an id made of the event_id and a digest of its copy_key, so every run gives an event the same id. -#}
{% macro numbered_copies(repeated) -%}
    select
        {% for column in event_columns() -%}
        {{ own_event_id('keyed') ~ ' as event_id' if column == 'event_id' else 'keyed.' ~ column }},
        {% endfor -%}
        keyed.source_file,
        keyed.raw,
        case when keyed.copy_number > 1 then 'duplicate_event_id' end as reason,
        {{ id_key('keyed.event_id', 'keyed.event_date') }} as id_key,
        keyed.copy_number
    from (
        select
            good.*,
            row_number() over (
                partition by good.event_id, good.event_date, good.copy_key
                order by good.timestamp, good.received_at nulls last, {{ row_as_text('good.raw') }}
            ) as copy_number,
            first_value(good.copy_key) over (partition by good.event_id, good.event_date order by good.timestamp, good.copy_key) as first_copy_key
        from ({{ good_rows_of_window() }}) as good
        where
            {{ id_key('good.event_id', 'good.event_date') }} in (select id_key from {{ repeated }})
            and good.timestamp in (
                select timestamp from ({{ good_rows_of_window('event_id, event_date, timestamp') }}) as copy
                where {{ id_key('event_id', 'event_date') }} in (select id_key from {{ repeated }})
            )
    ) as keyed
{%- endmacro %}

{#- The event_id of a row of numbered_copies. -#}
{% macro own_event_id(rows) -%}
    case
        when {{ rows }}.copy_key <> {{ rows }}.first_copy_key then concat({{ rows }}.event_id, '-', {{ dbt.hash(rows ~ '.copy_key') }})
        else {{ rows }}.event_id
    end
{%- endmacro %}
