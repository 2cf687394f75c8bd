{#- Expressions over whole rows that differ between warehouses. -#}

{#- A row (a table alias) as the text of a JSON object with its columns as keys. It orders rows that differ. -#}
{% macro row_as_text(alias) -%}{{ return(adapter.dispatch('row_as_text')(alias)) }}{%- endmacro %}
{% macro default__row_as_text(alias) -%}{{ return("cast(to_json(" ~ alias ~ ") as varchar)") }}{%- endmacro %}
{% macro bigquery__row_as_text(alias) -%}{{ return("to_json_string(" ~ alias ~ ")") }}{%- endmacro %}

{#- A number for an id on a date. Equal pairs have the same number. Different pairs may share one by chance. -#}
{% macro id_key(id, date) -%}{{ return(adapter.dispatch('id_key')(id, date)) }}{%- endmacro %}
{% macro default__id_key(id, date) -%}hash({{ id }}, {{ date }}){%- endmacro %}
{% macro bigquery__id_key(id, date) -%}farm_fingerprint(concat({{ id }}, ' ', cast({{ date }} as string))){%- endmacro %}

{#- Aggregates: the event_id of the group's first (last) event in (timestamp, event_id) order. -#}
{% macro first_event_id() -%}{{ return(adapter.dispatch('first_event_id')()) }}{%- endmacro %}
{% macro default__first_event_id() -%}{{ return("min((timestamp, event_id))[2]") }}{%- endmacro %}
{% macro bigquery__first_event_id() -%}{{ return("array_agg(event_id order by timestamp, event_id limit 1)[offset(0)]") }}{%- endmacro %}
{% macro last_event_id() -%}{{ return(adapter.dispatch('last_event_id')()) }}{%- endmacro %}
{% macro default__last_event_id() -%}{{ return("max((timestamp, event_id))[2]") }}{%- endmacro %}
{% macro bigquery__last_event_id() -%}{{ return("array_agg(event_id order by timestamp desc, event_id desc limit 1)[offset(0)]") }}{%- endmacro %}

{#- Aggregate: the first non-null value in the order of a number that differs from row to row. -#}
{% macro first_value_in_order(value, number) -%}{{ return(adapter.dispatch('first_value_in_order')(value, number)) }}{%- endmacro %}
{% macro default__first_value_in_order(value, number) -%}arg_min({{ value }}, {{ number }}) filter (where {{ value }} is not null){%- endmacro %}
{% macro bigquery__first_value_in_order(value, number) -%}
    array_agg({{ value }} order by {{ value }} is null, {{ number }} limit 1)[safe_offset(0)]
{%- endmacro %}

{#- Aggregate: the last non-null value in the order of events of the rows named `rows`. -#}
{% macro last_value_in_order(value, rows) -%}{{ return(adapter.dispatch('last_value_in_order')(value, rows)) }}{%- endmacro %}
{% macro default__last_value_in_order(value, rows) -%}
    arg_max({{ value }}, ({{ event_order(rows) }})) filter (where {{ value }} is not null)
{%- endmacro %}
{% macro bigquery__last_value_in_order(value, rows) -%}
    array_agg({{ value }} order by {{ value }} is null, {{ event_order(rows, 'desc') }} limit 1)[safe_offset(0)]
{%- endmacro %}

{#- Aggregate: the second largest of values that differ; null if there are fewer. -#}
{% macro second_largest(value) -%}{{ return(adapter.dispatch('second_largest')(value)) }}{%- endmacro %}
{% macro default__second_largest(value) -%}{{ return('max(' ~ value ~ ', 2)[2]') }}{%- endmacro %}
{% macro bigquery__second_largest(value) -%}
    {%- set ordered = value ~ ' order by ' ~ value ~ ' desc limit 2' -%}
    {{ return('array_agg(' ~ ordered ~ ')[safe_offset(1)]') }}
{%- endmacro %}

{#- A nested row; `fields` is a dict name -> expression. -#}
{% macro struct_of(fields) -%}{{ return(adapter.dispatch('struct_of')(fields)) }}{%- endmacro %}
{% macro default__struct_of(fields) -%}
    struct_pack({% for name, value in fields.items() %}{{ name }} := {{ value }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}
{% macro bigquery__struct_of(fields) -%}
    struct({% for name, value in fields.items() %}{{ value }} as {{ name }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}

{#- Aggregate: rows as an array of structs of some columns, ordered by a number that differs from row to row. `texts` names those of the columns that
    are texts. DuckDB copies each text of an aggregate into memory of its own for each group and column. So it gathers a row's texts as one JSON array,
    which takes half the time. And it gathers rows as they come and sorts each array, in a third less time than it takes to gather them in order. -#}
{% macro structs_in_order(number, columns, texts=[]) -%}{{ return(adapter.dispatch('structs_in_order')(number, columns, texts)) }}{%- endmacro %}
{% macro default__structs_in_order(number, columns, texts) -%}
    {%- set others = [number] + columns | reject('in', texts) | list -%}
    {%- set rows, packed, unpacked = dict(zip(others, others)), {}, {} -%}
    {%- if not texts -%}{{ return('list_sort(list(' ~ struct_of(rows) ~ '))') }}{%- endif -%}
    {%- for column in others -%}
        {%- do packed.update({column: 'packed.' ~ column}) -%}
        {%- do unpacked.update({column: 'unpacked.' ~ column}) -%}
    {%- endfor -%}
    {%- do rows.update({'texts': 'to_json([' ~ texts | join(', ') ~ '])'}) -%}
    {%- do packed.update({'texts': "from_json(packed.texts, '[\"VARCHAR\"]')"}) -%}
    {%- for column in texts -%}{%- do unpacked.update({column: 'unpacked.texts[' ~ loop.index ~ ']'}) -%}{%- endfor -%}
    list_transform(
        list_transform(list_sort(list({{ struct_of(rows) }})), lambda packed: {{ struct_of(packed) }}),
        lambda unpacked: {{ struct_of(unpacked) }}
    )
{%- endmacro %}
{% macro bigquery__structs_in_order(number, columns, texts) -%}
    array_agg({{ struct_of(dict(zip(columns, columns))) }} order by {{ number }})
{%- endmacro %}

{#- An array's elements, each replaced by an expression over `element`. -#}
{% macro mapped(array, expression) -%}{{ return(adapter.dispatch('mapped')(array, expression)) }}{%- endmacro %}
{% macro default__mapped(array, expression) -%}list_transform({{ array }}, lambda element: {{ expression }}){%- endmacro %}
{% macro bigquery__mapped(array, expression) -%}
    array(select {{ expression }} from unnest({{ array }}) as element with offset as place order by place)
{%- endmacro %}

{#- An array's element at a place, 1..; null if there is no such place. -#}
{% macro element_at(array, place) -%}{{ return(adapter.dispatch('element_at')(array, place)) }}{%- endmacro %}
{% macro default__element_at(array, place) -%}{{ array }}[{{ place }}]{%- endmacro %}
{#- Not array[safe_ordinal(place)]: in a large statement the tests' emulator counts from 0. -#}
{% macro bigquery__element_at(array, place) -%}
    (select element from unnest({{ array }}) as element with offset as position where position = {{ place }} - 1)
{%- endmacro %}

{#- A key of a JSON object, as text. -#}
{% macro json_text(json, key) -%}{{ return(adapter.dispatch('json_text')(json, key)) }}{%- endmacro %}
{#- The key as a JSON pointer, because a path has no way to write a quote. -#}
{% macro default__json_text(json, key) -%}
    {{ return('json_extract_string(' ~ json ~ ', ' ~ text_literal('/' ~ key | replace('~', '~0') | replace('/', '~1')) ~ ')') }}
{%- endmacro %}
{#- JSON_VALUE is null for objects and arrays, but DuckDB gives them as text. -#}
{% macro bigquery__json_text(json, key) -%}
    {%- set path = text_literal('$."' ~ key | replace('\\', '\\\\') | replace('"', '\\"') ~ '"') -%}
    case
        when json_type(json_query({{ json }}, {{ path }})) in ('object', 'array') then to_json_string(json_query({{ json }}, {{ path }}))
        else json_value({{ json }}, {{ path }})
    end
{%- endmacro %}

{#- How many elements an array has. -#}
{% macro array_size(array) -%}{{ return(adapter.dispatch('array_size')(array)) }}{%- endmacro %}
{% macro default__array_size(array) -%}len({{ array }}){%- endmacro %}
{% macro bigquery__array_size(array) -%}array_length({{ array }}){%- endmacro %}

{#- Aggregate: the median of numbers. -#}
{% macro median(value) -%}{{ return(adapter.dispatch('median')(value)) }}{%- endmacro %}
{% macro default__median(value) -%}median({{ value }}){%- endmacro %}
{#- On BigQuery PERCENTILE_CONT is not an aggregate, and APPROX_QUANTILES gives a neighbour of the median. -#}
{% macro bigquery__median(value) -%}
    {%- set sorted = 'array_agg(' ~ value ~ ' ignore nulls order by ' ~ value ~ ')' -%}
    (
        {{ sorted }}[safe_ordinal(div(count({{ value }}) + 1, 2))]
        + {{ sorted }}[safe_ordinal(div(count({{ value }}) + 2, 2))]
    ) / 2
{%- endmacro %}

{#- Aggregate: columns of the first (last) row that meets a condition, in the order of a number that differs from row to row, as one struct; null if no
    row does. A null column of that row stays null. -#}
{% macro first_row(columns, number, condition='true') -%}
    {{ return(adapter.dispatch('row_in_order')(columns, number, condition, 'first')) }}
{%- endmacro %}
{% macro last_row(columns, number, condition='true') -%}
    {{ return(adapter.dispatch('row_in_order')(columns, number, condition, 'last')) }}
{%- endmacro %}
{#- One aggregate per column: of a struct, DuckDB makes a sort key for every row, which takes a third longer. -#}
{% macro default__row_in_order(columns, number, condition, place) -%}
    {%- set values = {} -%}
    {%- for column in columns -%}
        {%- set function = 'arg_min_null' if place == 'first' else 'arg_max_null' -%}
        {%- do values.update({column: function ~ '(' ~ column ~ ', ' ~ number ~ ') filter (where ' ~ condition ~ ')'}) -%}
    {%- endfor -%}
    case when bool_or({{ condition }}) then {{ struct_of(values) }} end
{%- endmacro %}
{% macro bigquery__row_in_order(columns, number, condition, place) -%}
    {%- set first = 'case when ' ~ condition ~ ' then 0 else 1 end, ' ~ number ~ (' desc' if place == 'last' else '') -%}
    case
        when sum(case when {{ condition }} then 1 else 0 end) > 0
            then array_agg({{ struct_of(dict(zip(columns, columns))) }} order by {{ first }} limit 1)[safe_offset(0)]
    end
{%- endmacro %}

{#- Aggregate: texts as an array in any order, for sorted_distinct and distinct_count, which leave out nulls. DuckDB's array has each row's text: to find
    the distinct ones of each group while gathering takes longer. BigQuery's rows have a size limit, so its array has each text once. -#}
{% macro gathered(value) -%}{{ return(adapter.dispatch('gathered')(value)) }}{%- endmacro %}
{% macro default__gathered(value) -%}list({{ value }}) filter (where {{ value }} is not null){%- endmacro %}
{% macro bigquery__gathered(value) -%}array_agg(distinct {{ value }}){%- endmacro %}
{% macro sorted_distinct(array) -%}{{ return(adapter.dispatch('sorted_distinct')(array)) }}{%- endmacro %}
{% macro default__sorted_distinct(array) -%}coalesce(list_sort(list_distinct({{ array }})), cast([] as varchar[])){%- endmacro %}
{% macro bigquery__sorted_distinct(array) -%}
    array(select distinct value from unnest({{ array }}) as value where value is not null order by value)
{%- endmacro %}

{#- Aggregate: the arrays of a group as one. -#}
{% macro joined_arrays(arrays) -%}{{ return(adapter.dispatch('joined_arrays')(arrays)) }}{%- endmacro %}
{% macro default__joined_arrays(arrays) -%}flatten(list({{ arrays }})){%- endmacro %}
{% macro bigquery__joined_arrays(arrays) -%}array_concat_agg({{ arrays }}){%- endmacro %}

{#- An array's elements as rows, for use after `cross join`. `name` is the element. -#}
{% macro unnested(array, name) -%}{{ return(adapter.dispatch('unnested')(array, name)) }}{%- endmacro %}
{% macro default__unnested(array, name) -%}unnest({{ array }}) as elements ({{ name }}){%- endmacro %}
{% macro bigquery__unnested(array, name) -%}unnest({{ array }}) as {{ name }}{%- endmacro %}

{#- How many different values an array has. -#}
{% macro distinct_count(array) -%}{{ return(adapter.dispatch('distinct_count')(array)) }}{%- endmacro %}
{% macro default__distinct_count(array) -%}cast(len(list_distinct({{ array }})) as bigint){%- endmacro %}
{% macro bigquery__distinct_count(array) -%}(select count(distinct value) from unnest({{ array }}) as value){%- endmacro %}
