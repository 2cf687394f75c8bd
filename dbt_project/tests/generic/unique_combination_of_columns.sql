{#- The columns together are a key. Null counts as a value. -#}
{% test unique_combination_of_columns(model, columns) %}
    select {{ columns | join(', ') }}, count(*) as copies
    from {{ model }}
    where {{ may_be_repeated(model, columns) }}
    group by {{ columns | join(', ') }}
    having count(*) > 1
{% endtest %}
