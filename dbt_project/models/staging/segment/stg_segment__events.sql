{{ config(enabled='segment' in var('sources')) }}

{{ stage_loader_tables('segment') }}
