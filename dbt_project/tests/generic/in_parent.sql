{#- Each value is in the parent's column, for rows that meet `of`. If the parent has dates, only its window is read. So `of` must select rows whose
    parent row has a date of the window, such as the first event of a session. -#}
{% test in_parent(model, column_name, to, field, of='true') %}
    {%- set window = window_of(to) if execute else '' %}
    with child as (
        select {{ column_name }} as value from {{ model }} where {{ column_name }} is not null and {{ of }}
    ),

    parent as (
        select {{ field }} as value from {{ to }}{{ ' where ' ~ window if window }}
    )

    select child.value
    from child
    left join parent on child.value = parent.value
    where parent.value is null
{% endtest %}
