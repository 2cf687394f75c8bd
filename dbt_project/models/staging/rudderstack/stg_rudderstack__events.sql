{{ config(enabled='rudderstack' in var('sources')) }}

{{ stage_loader_tables('rudderstack') }}
