{#- A text that others are compared with in small letters. -#}
{% test small_letters(model, column_name) %}
    select {{ column_name }} from {{ model }} where {{ column_name }} <> lower(trim({{ column_name }}))
{% endtest %}
