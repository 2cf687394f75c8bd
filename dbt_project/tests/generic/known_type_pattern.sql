{#- Each type pattern matches a type of the seed referrer_hosts. A misspelt pattern would match nothing. -#}
{% test known_type_pattern(model, column_name) %}
    with types as (
        select distinct type from {{ ref('referrer_hosts') }}
        union distinct
        select '' as type
    ),

    matched as (
        select distinct rules.{{ column_name }} as pattern
        from {{ model }} as rules
        cross join types
        where {{ matches_whole('types.type', 'rules.' ~ column_name) }}
    )

    select rules.{{ column_name }}
    from {{ model }} as rules
    left join matched on rules.{{ column_name }} = matched.pattern
    where rules.{{ column_name }} <> '' and matched.pattern is null
{% endtest %}
