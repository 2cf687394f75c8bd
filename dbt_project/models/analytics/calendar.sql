{{ config(materialized='view') }}

-- Metrics by date are joined with it, so that a date without a session has a row.
select date_day
from {{ all_dates('2000-01-01', '2050-01-01') }} as days
