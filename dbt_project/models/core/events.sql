{{ config(materialized='date_overwrite', date='event_date', notes_days=true, cluster_by=['alias', 'event_id'], tags=['events']) }}

with repeated as (
    {{ repeated_keys() }}
),

copies as (
    {{ numbered_copies('repeated') }}
),

-- The rows are read again for each use: to keep them would cost more.
kept as (
    select {{ event_columns() | join(', ') }}
    from ({{ good_rows_of_window() }}) as good
    where {{ id_key('event_id', 'event_date') }} not in (select id_key from repeated)
    union all
    select {{ event_columns() | join(', ') }} from copies
    where copy_number = 1
),

with_properties as (
    {{ with_event_properties('kept') }}
)

select * from with_properties
