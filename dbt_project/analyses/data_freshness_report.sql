with freshness as (
    select * from {{ ref('data_freshness') }}
)

select * from freshness
order by hours_behind desc, table_name asc
