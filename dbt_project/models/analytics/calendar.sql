{{ config(materialized='view') }}

-- For metrics by date: a date without a session has a row too.
select date_day
from {{ all_dates('2000-01-01', '2050-01-01') }} as days
