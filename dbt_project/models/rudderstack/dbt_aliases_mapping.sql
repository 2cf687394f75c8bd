{{ config(materialized='view', entity='dbt_visitor_id', entity_kind='visitor') }}

-- A view: the graph already holds exactly these rows, and changes with it in one transaction.
select alias, dbt_visitor_id from {{ source('core', 'identity_graph') }}
