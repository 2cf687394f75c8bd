{{ config(materialized='date_overwrite', date='partition_date') }}

{{ affected_by(tells_of_user(), 'segment_user_calls') }}
