{{ config(materialized='date_overwrite', date='event_date', cluster_by=['alias', 'event_id'], tags=['events']) }}

with good_rows as (
    {{ good_rows_of_window(event_columns()) }}
),

copies as (
    {{ numbered_copies('good_rows') }}
),

kept as (
    select {{ event_columns() }} from good_rows
    where
        not exists (
            select 1 from copies
            where copies.event_id = good_rows.event_id and copies.event_date = good_rows.event_date
        )
    union all
    select {{ event_columns() }} from copies
    where copy_number = 1
)

select * from kept
