{#- Each value, where `of` holds, stands in the parent's column. Of a parent with dates only the window is read: `of` leaves those rows whose
    parent has a date of the window, as a session's first event has. -#}
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
