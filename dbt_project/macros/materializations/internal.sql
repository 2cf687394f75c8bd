{#- The text of a hook before every dbt run. Creates the tables that only the materialisations use. -#}
{% macro create_internal_tables() -%}
    create schema if not exists {{ frontier_progress_relation().without_identifier() }};
    {{ create_internal_functions() }}
    create table if not exists {{ frontier_progress_relation() }} (
        model {{ dbt.type_string() }},
        sequence {{ type_bigint() }},
        generation {{ dbt.type_string() }},
        parents_generation {{ dbt.type_string() }},
        fingerprint {{ dbt.type_string() }}
    );
    {{ create_change_queue() }}
    {%- if execute %}
    {%- for node in models_made_by('frontier') if node.config.get('keeps_requests') %}
    create table if not exists {{ requests_relation(node.name) }} (
        partition_date date,
        entity {{ dbt.type_string() }},
        reprocess_from {{ dbt.type_timestamp() }},
        reason {{ dbt.type_string() }}
    );
    {%- endfor %}
    {%- endif %}
    create table if not exists {{ internal_relation('run_results') }} (
        model_name {{ dbt.type_string() }},
        run_started_at {{ dbt.type_timestamp() }},
        run_completed_at {{ dbt.type_timestamp() }},
        duration_seconds {{ type_double() }},
        status {{ dbt.type_string() }},
        rows_affected {{ type_bigint() }},
        bytes_processed {{ type_bigint() }},
        partition_start date,
        partition_end date,
        run_id {{ dbt.type_string() }}
    );
    create table if not exists {{ internal_relation('erasures') }} (
        erased_at {{ dbt.type_timestamp() }},
        erasure_id {{ dbt.type_string() }},
        run_id {{ dbt.type_string() }},
        requested_by {{ dbt.type_string() }},
        aliases {{ type_bigint() }},
        raw_rows_removed {{ type_bigint() }},
        raw_rows_blanked {{ type_bigint() }},
        raw_rejects_removed {{ type_bigint() }},
        files_rewritten {{ type_bigint() }},
        days_rerun {{ type_bigint() }},
        log_rows_removed {{ type_bigint() }},
        tables_verified {{ type_bigint() }}
    );
    create table if not exists {{ internal_relation('warehouse_settings') }} (timezone {{ dbt.type_string() }})
{%- endmacro %}

{#- The text of a second hook. Fails if the timezone has changed: all dates in the tables are of one timezone, as rows of two would overlap and leave gaps. -#}
{% macro require_same_timezone() -%}
    {%- if execute and flags.WHICH in ('run', 'build') -%}
        {%- set known = run_query('select timezone from ' ~ internal_relation('warehouse_settings')) -%}
        {%- if known | length == 0 -%}
            {{ return('insert into ' ~ internal_relation('warehouse_settings') ~ " (timezone) values ('" ~ var('timezone') ~ "')") }}
        {%- elif known[0]['timezone'] != var('timezone') -%}
            {% do exceptions.raise_compiler_error(
                'This warehouse was filled with days of ' ~ known[0]['timezone'] ~ ', and SESSIONIZATION_TIMEZONE is now '
                ~ var('timezone') ~ '. Set it back, or start with an empty warehouse (another SESSIONIZATION_DUCKDB_PATH or BIGQUERY_DATASET) and all days.'
            ) %}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- The text of a hook at the start of a run. Drops the internal tables of models that are no longer stored: views, families that were left out, names of
    an earlier version. If a model comes back, its next run rebuilds it whole. -#}
{% macro drop_what_no_model_keeps() -%}
    {%- if execute and flags.WHICH in ('run', 'build') -%}
        {%- set kept = lasting_followers() -%}
        {%- for node in graph.nodes.values() if is_stored(node) or node.resource_type == 'seed' -%}{%- do kept.append(node.name) -%}{%- endfor -%}
        {%- set names = frontier_progress() | reject('in', kept) | sort -%}
        {%- if names -%}
            {%- for name in names -%}
                {%- do frontier_progress().pop(name) -%}
                {%- for suffix in ['state', 'requests', 'frontier', 'this_run'] + earlier_suffixes() %}
    drop table if exists {{ internal_relation(name ~ '__' ~ suffix) }};
                {%- endfor -%}
            {%- endfor %}
    delete from {{ change_queue() }} where origin in ('{{ names | join("', '") }}');
    delete from {{ frontier_progress_relation() }} where model in ('{{ names | join("', '") }}')
            {%- do log(
                'No model keeps a table of its own any more for ' ~ names | join(', ') ~ ': what was kept for them is dropped. Tables that take their '
                ~ 'place are made from all of core.events by this run.', info=true
            ) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- Suffixes of internal tables of earlier versions, after the model's name. -#}
{% macro earlier_suffixes() -%}{{ return(['log', 'touched', 'located', 'carried', 'tail', 'last', 'prior', 'requested']) }}{%- endmacro %}

{#- Names of the models that a run rebuilds in a warehouse of an earlier version: there the pending changes are in tables that this version does not use. -#}
{% macro models_of_earlier_version() -%}
    {%- if 'entity' in columns_in_hook(change_queue()) -%}{{ return([]) }}{%- endif -%}
    {{ return((models_made_by('frontier') + models_made_by('rollup')) | map(attribute='name') | list) }}
{%- endmacro %}

{#- The text of a hook at the start of a run. Brings the queue of an earlier version's warehouse over, once. -#}
{% macro bring_change_queue_over() -%}
    {%- set models = models_of_earlier_version() if execute and flags.WHICH in ('run', 'build', 'seed') else [] -%}
    {%- if models -%}
        {%- for column, type in {
            'entity': dbt.type_string(), 'reprocess_from': dbt.type_timestamp(), 'previous_session_at': dbt.type_timestamp(),
        }.items() %}
    alter table {{ change_queue() }} add column {{ column }} {{ type }};
        {%- endfor -%}
        {%- for name in models -%}
            {%- for suffix in earlier_suffixes() %}
    drop table if exists {{ internal_relation(name ~ '__' ~ suffix) }};
            {%- endfor -%}
        {%- endfor %}
    drop table if exists {{ internal_relation('frontier_tails') }};
    delete from {{ frontier_progress_relation() }} where model in ('{{ models | join("', '") }}')
    {%- endif -%}
{%- endmacro %}

{#- A table's columns, for a hook. On DuckDB the adapter would open a transaction for them, which nothing commits. -#}
{% macro columns_in_hook(relation) -%}{{ return(adapter.dispatch('columns_in_hook')(relation)) }}{%- endmacro %}
{% macro default__columns_in_hook(relation) -%}{{ return(get_columns_in_query('select * from ' ~ relation)) }}{%- endmacro %}
{% macro bigquery__columns_in_hook(relation) -%}{{ return(adapter.get_columns_in_relation(relation) | map(attribute='name') | list) }}{%- endmacro %}

{#- BigQuery: a view replaces a table of its name, as on DuckDB. dbt would refuse without --full-refresh. -#}
{% macro bigquery__handle_existing_table(full_refresh, old_relation) -%}
    {%- do adapter.drop_relation(old_relation) -%}
{%- endmacro %}
