{#- Whether SESSIONIZATION_FAMILIES has the family, for what stands outside its folder: tests, analyses, and tables that read several families. -#}
{% macro is_chosen(family) -%}{{ return(family in var('families')) }}{%- endmacro %}
