{#- The columns of a staged event other than its identifiers and times. All are texts. -#}
{% macro event_attributes() -%}
    {{ return([
        'event', 'url', 'path', 'title', 'referrer', 'search',
        'utm_source', 'utm_medium', 'utm_campaign', 'utm_content', 'utm_term', 'country', 'device', 'os', 'user_agent', 'ip', 'vendor_session_id',
    ]) }}
{%- endmacro %}

{#-
One raw table as staged events: one row per raw row, nothing filtered.

  columns      canonical column -> its raw column, or a list of raw columns of which the first non-null counts. A column that is not named
               here has the same name in the raw table. A column that the raw table lacks is null
  expressions  canonical column (also a time or an id) -> SQL over the raw columns, where a name is not enough
  kept         declared raw columns that are not canonical: they go into properties
  raw_rows     SQL that reads the raw table, if more than its rows is needed
  copy_key     SQL over the raw columns. Rows of one event_id and date that differ in it are different events, not copies
               (macros/staging/event_windows.sql). Without it, only the event_id counts

event_sequence is the source's order within one timestamp: a whole number, 0 if the source has no order.

raw is the raw row as JSON. rejected_raw is the same for rejected rows only: a warehouse makes the JSON of all rows, even of those that it then
leaves out, and most rows are left out.

reject_reason is null for a good row. event_date is the row's partition: its own day, or the day of its arrival if its timestamp is missing or
impossible; null if neither is known.
-#}
{% macro stage_events(raw_table, source, event_type, columns, expressions={}, kept=[], raw_rows=none, copy_key=none) -%}
    {%- do note_staging_keys(columns, expressions, kept) -%}
    {%- set available = raw_columns(raw_table) -%}
    {#- An undeclared column may have a canonical name and any meaning. It is one of the properties. -#}
    {%- set declared = available | select('in', raw_source(raw_table).columns) | list if execute else [] -%}
    (
    with raw_rows as (
        {{ raw_rows or raw_rows_of(raw_table) }}
    ),

    renamed as (
        select
            {{ namespaced(source, "nullif(" ~ (expressions.get('event_id') or raw_column(columns, declared, 'event_id')) ~ ", '')") }} as event_id,
            {{ identifier(expressions.get('anonymous_id') or raw_column(columns, declared, 'anonymous_id')) }} as anonymous_id,
            {{ identifier(expressions.get('user_id') or raw_column(columns, declared, 'user_id')) }} as user_id,
            {{ identifier(expressions.get('previous_id') or raw_column(columns, declared, 'previous_id')) }} as previous_id,
            '{{ source }}' as source,
            {{ expressions.get('event_type') or "'" ~ event_type ~ "'" }} as event_type,
            {% for attribute in event_attributes() -%}
            {%- set value = expressions.get(attribute) or raw_column(columns, declared, attribute) if is_kept(attribute) else null_text() %}
            {{ "nullif(" ~ value ~ ", '')" if attribute == 'event' else value }} as {{ attribute }},
            {% endfor -%}
            {%- set sequence = expressions.get('event_sequence') or raw_column(columns, declared, 'event_sequence', type_bigint()) %}
            coalesce({{ dbt.safe_cast(sequence, type_bigint()) }}, 0) as event_sequence,
            {{ copy_key or null_text() }} as copy_key,
            {{ raw_properties(raw_table, available, kept) }} as properties,
            raw_rows as raw_row,
            {{ time_expression(expressions, 'timestamp') or raw_column(columns, declared, 'timestamp', dbt.type_timestamp()) }} as timestamp,
            {{ time_expression(expressions, 'received_at') or raw_column(columns, declared, 'received_at', dbt.type_timestamp()) }} as received_at,
            {{ raw_loaded_at() }} as raw_loaded_at,
            {{ 'source_file' if 'source_file' in available else 'cast(null as ' ~ dbt.type_string() ~ ')' }} as source_file
        from raw_rows
    ),

    judged as (
        select
            *,
            coalesce(user_id, anonymous_id) as alias,
            {{ is_from_the_future() }} as is_from_the_future,
            {{ reject_reason() }} as reject_reason
        from renamed
    )

    select
        event_id, anonymous_id, user_id, previous_id, alias, source, event_type, {{ event_attributes() | join(', ') }}, event_sequence, properties,
        copy_key, timestamp, received_at, raw_loaded_at, source_file, is_from_the_future, reject_reason,
        to_json(raw_row) as raw,
        case when reject_reason is not null then to_json(raw_row) end as rejected_raw,
        {{ local_date('case when ' ~ is_dated_by_arrival() ~ ' then ' ~ arrived_at() ~ ' else timestamp end') }} as event_date
    from judged
    )
{%- endmacro %}

{#- Ids of several sources could clash. The first source of SESSIONIZATION_SOURCES keeps its ids. Ids of any other source get the source's
    name as a prefix. So a source that is added at the end changes no existing id. -#}
{% macro namespaced(source, event_id) -%}
    {{ return(event_id if source == var('sources')[0] else "'" ~ source ~ ":' || " ~ event_id) }}
{%- endmacro %}

{#- Rows of a raw table with derived_event_id, made of the row's content, so that it is the same on every run. Identical rows are numbered.
    `at` is part of the content, and named so that storage can skip other days. -#}
{% macro with_derived_event_id(raw_table, at) -%}
    select
        raw_rows.*,
        concat(
            content_key, '-', cast(row_number() over (partition by {{ at }}, content_key order by content_key) as {{ dbt.type_string() }})
        ) as derived_event_id
    from ({{ raw_rows_of(raw_table, content_md5(raw_table) ~ ' as content_key') }}) as raw_rows
{%- endmacro %}

{#- The columns of a raw table. If no warehouse is queried, its declared columns. -#}
{% macro raw_columns(raw_table) -%}
    {%- if not execute -%}{{ return([]) }}{%- endif -%}
    {%- if is_text_only() -%}{{ return(raw_source(raw_table).columns | list + ['properties', 'source_file', 'source_row']) }}{%- endif -%}
    {{ return(adapter.get_columns_in_relation(raw_table) | map(attribute='name') | map('lower') | list) }}
{%- endmacro %}

{% macro raw_column(columns, declared, name, type=none) -%}
    {%- set candidates = columns.get(name, name) -%}
    {%- set candidates = [candidates] if candidates is string else candidates -%}
    {%- set present = candidates | select('in', declared) | list -%}
    {%- if present | length == 0 -%}
        {{ return('cast(null as ' ~ (type or dbt.type_string()) ~ ')') }}
    {%- elif present | length == 1 -%}
        {{ return(present[0]) }}
    {%- endif -%}
    {{ return('coalesce(' ~ present | join(', ') ~ ')') }}
{%- endmacro %}

{#- Whether the attribute may be stored. IP addresses, which show where somebody lives, are stored only if the var keep_ip is true. -#}
{% macro is_kept(attribute) -%}{{ return(attribute != 'ip' or var('keep_ip')) }}{%- endmacro %}

{% macro null_text() -%}cast(null as {{ dbt.type_string() }}){%- endmacro %}

{#- Whether a device's clock was more than a day ahead of the receiver's, and so is wrong. If nothing else noted the arrival, the loader's clock counts. -#}
{% macro is_from_the_future() -%}
    coalesce(timestamp > {{ add_microseconds(arrived_at(), 24 * 3600 * 1000000) }}, false)
{%- endmacro %}

{#- Whether the row's own time does not give its day. All such rows are rejected. -#}
{% macro is_dated_by_arrival() -%}(timestamp is null or is_from_the_future){%- endmacro %}

{#- Why a row is not an event: the first reason that applies. Duplicates are found later, over all sources (core.events). -#}
{% macro reject_reason() -%}
    case
        when event_id is null then 'no_event_id'
        when timestamp is null then 'no_timestamp'
        when anonymous_id is null and user_id is null then 'no_identity'
        when {{ is_from_the_future() }} then 'future_timestamp'
    end
{%- endmacro %}

{#- The columns of core.events, in order. -#}
{% macro event_columns() -%}
    {{ return([
        'event_id', 'source', 'event_type', 'event', 'anonymous_id', 'user_id', 'previous_id', 'alias', 'timestamp', 'event_date', 'received_at',
    ] + event_attributes()[1:] + ['event_sequence', 'properties']) }}
{%- endmacro %}
