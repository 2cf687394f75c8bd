{#- Whether SESSIONIZATION_FAMILIES has the family. For files outside the family's folder: tests, analyses, and tables that read several families. -#}
{% macro is_chosen(family) -%}{{ return(family in var('families')) }}{%- endmacro %}
