{#- No column is below its minimum. One scan for all columns. Null passes. -#}
{% test at_least(model, minimums) %}
    select *
    from {{ model }}
    where {% for column, minimum in minimums.items() %}{{ column }} < {{ minimum }}{{ ' or ' if not loop.last }}{% endfor %}
{% endtest %}
