{#- A host in the form that is compared: in lower case, without a scheme, `www.`, a port, a path or blanks. -#}
{% test plain_hosts(model, column) %}
    select {{ column }}
    from {{ model }}
    where
        {{ column }} <> lower(trim({{ column }}))
        or starts_with({{ column }}, 'www.')
        or strpos({{ column }}, '/') > 0
        or strpos({{ column }}, ':') > 0
        or strpos({{ column }}, ' ') > 0
{% endtest %}
