{#- The column is empty, or a regular expression without a blank at its start or end, which nobody would see. -#}
{% test regular_expression(model, column_name) %}
    select {{ column_name }}
    from {{ model }}
    where {{ column_name }} <> trim({{ column_name }}) or ({{ column_name }} <> '' and not {{ is_pattern(column_name) }})
{% endtest %}
