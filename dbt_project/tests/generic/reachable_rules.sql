{#- No rule stands after one that is no stricter in any of its patterns: whatever it matches, the earlier one has. -#}
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
