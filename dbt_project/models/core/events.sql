{{ config(
    materialized='date_overwrite', date='event_date', sets_aside='rows_set_aside', cluster_by=['alias', 'event_id'], tags=['events']
) }}

with copies as (
    select * from {{ set_aside() }}
    where copy_number is not null and {{ in_window('event_date') }}
),

kept as (
    select {{ event_columns() | join(', ') }}
    from ({{ good_rows_of_window() }}) as good
    where {{ id_key('event_id', 'event_date') }} not in (select id_key from copies)
    union all
    select {{ event_columns() | join(', ') }} from copies
    where copy_number = 1
),

with_properties as (
    {{ with_event_properties('kept') }}
)

select * from with_properties
