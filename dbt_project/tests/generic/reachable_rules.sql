{#- No rule comes after a rule that matches everything that it matches: no pattern of the earlier rule is stricter. -#}
{% test reachable_rules(model) %}
    select later.rule_order, earlier.rule_order as earlier_rule_order
    from {{ model }} as later
    inner join {{ model }} as earlier on earlier.rule_order < later.rule_order
    where
        {%- for aspect in ['type', 'source', 'medium', 'campaign'] %}
        {{ 'and ' if not loop.first }}(
            coalesce(earlier.{{ aspect }}_pattern, '') = '' or earlier.{{ aspect }}_pattern = later.{{ aspect }}_pattern
        )
        {%- endfor %}
{% endtest %}
