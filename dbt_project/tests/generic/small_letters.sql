{#- The text is in lower case, because it is compared with texts in lower case. -#}
{% test small_letters(model, column_name) %}
    select {{ column_name }} from {{ model }} where {{ column_name }} <> lower(trim({{ column_name }}))
{% endtest %}
