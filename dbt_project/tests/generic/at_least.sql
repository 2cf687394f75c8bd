{#- No column is below its minimum: one scan for all of them. A column that is null is not. -#}
{% test at_least(model, minimums) %}
    select *
    from {{ model }}
    where {% for column, minimum in minimums.items() %}{{ column }} < {{ minimum }}{{ ' or ' if not loop.last }}{% endfor %}
{% endtest %}
