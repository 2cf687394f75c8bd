{#- Expressions over whole rows that differ between warehouses. -#}

{#- A row (a table alias) as a JSON object with its columns as keys. -#}
{% macro row_as_json(alias) -%}{{ return(adapter.dispatch('row_as_json')(alias)) }}{%- endmacro %}
{% macro default__row_as_json(alias) -%}{{ return("to_json(" ~ alias ~ ")") }}{%- endmacro %}

{#- The same as text: a total order over rows that differ. -#}
{% macro row_as_text(alias) -%}{{ return(adapter.dispatch('row_as_text')(alias)) }}{%- endmacro %}
{% macro default__row_as_text(alias) -%}{{ return("cast(to_json(" ~ alias ~ ") as varchar)") }}{%- endmacro %}

{#- Aggregates: the event_id of the group's first (last) event in (timestamp, event_id) order. -#}
{% macro first_event_id() -%}{{ return(adapter.dispatch('first_event_id')()) }}{%- endmacro %}
{% macro default__first_event_id() -%}{{ return("min((timestamp, event_id))[2]") }}{%- endmacro %}
{% macro last_event_id() -%}{{ return(adapter.dispatch('last_event_id')()) }}{%- endmacro %}
{% macro default__last_event_id() -%}{{ return("max((timestamp, event_id))[2]") }}{%- endmacro %}
