{#- How a column of a loader's table on BigQuery gets its declared type: by the rules that sessionization_dagster/landing/rules.py has for files.
    A test checks that the constants are the same. -#}

{#- The value of a declared column. An id loses blanks around it and a fraction of zeros. An optional text that is a null word becomes null. -#}
{% macro raw_value(column, dtype, declared) -%}
    {%- set value = as_declared(column, dtype, declared.data_type) -%}
    {%- set meta = declared.config.meta -%}
    {%- if dtype != 'STRING' or declared.data_type != 'VARCHAR' -%}{{ return(value) }}{%- endif -%}
    {%- if meta.get('identifier') or meta.get('event_id') -%}
        {%- set value = 'regexp_replace(trim(' ~ value ~ '), ' ~ text_literal(whole_with_fraction()) ~ ', ' ~ text_literal('\\1') ~ ')' -%}
    {%- endif -%}
    {{ return(value if meta.get('required') else without_null_words(value)) }}
{%- endmacro %}

{#- A text; null if it is blank or a null word. -#}
{% macro without_null_words(text) -%}
    case when lower(trim({{ text }})) not in (''{% for word in null_words() %}, {{ text_literal(word) }}{% endfor %}) then {{ text }} end
{%- endmacro %}

{#- Null words in lower case. -#}
{% macro null_words() -%}{{ return(['null', '\\n', 'none', 'nat']) }}{%- endmacro %}

{#- A whole number with a fraction of zeros. Group 1 is the id. -#}
{% macro whole_with_fraction() -%}{{ return('^(-?(?:0|[1-9][0-9]*))\\.0+$') }}{%- endmacro %}

{#- BigQuery: a column in its declared type; none if its type cannot be converted. A loader that saw numbers first made a column of numbers. A
    number for a time counts seconds, milliseconds or microseconds since 1970, depending on its digits. A text for a time is refused. -#}
{% macro as_declared(column, dtype, wanted) -%}
    {%- set numbers = ['INTEGER', 'INT64', 'FLOAT', 'FLOAT64', 'NUMERIC', 'BIGNUMERIC'] -%}
    {%- set same = {'VARCHAR': ['STRING'], 'TIMESTAMP': ['TIMESTAMP']}.get(wanted) -%}
    {%- if same is none or dtype in same -%}
        {{ return(column) }}
    {%- elif wanted == 'VARCHAR' and dtype in ('FLOAT', 'FLOAT64') -%}
        {{ return(
            'case when ' ~ column ~ ' = trunc(' ~ column ~ ') and abs(' ~ column ~ ') < 9e18 then cast(cast(' ~ column ~ ' as int64) as string) else cast('
            ~ column ~ ' as string) end'
        ) }}
    {%- elif wanted == 'VARCHAR' and dtype in numbers + ['BOOLEAN', 'BOOL', 'DATE', 'DATETIME', 'TIMESTAMP'] -%}
        {{ return('cast(' ~ column ~ ' as string)') }}
    {%- elif wanted == 'TIMESTAMP' and dtype in numbers -%}
        {%- set number = 'safe_cast(' ~ column ~ ' as bignumeric)' -%}
        {%- set sizes = [] -%}
        {%- for least, microseconds in epoch_units() -%}
            {%- set fits = number ~ ' >= ' ~ least ~ ' and ' ~ number ~ ' < ' ~ least ~ '0' -%}
            {%- do sizes.append('when ' ~ fits ~ ' then ' ~ number ~ ' * ' ~ microseconds) -%}
        {%- endfor -%}
        {{ return('timestamp_micros(cast(' ~ ('round' if dtype.startswith('FLOAT') else 'floor') ~ '(case ' ~ sizes | join(' ') ~ ' end) as int64))') }}
    {%- elif wanted == 'TIMESTAMP' and dtype in ('DATE', 'DATETIME') -%}
        {{ return('timestamp(' ~ column ~ ')') }}
    {%- endif -%}
    {{ return(none) }}
{%- endmacro %}

{#- (least number, microseconds in one) of each unit that a number for a time may count. -#}
{% macro epoch_units() -%}{{ return([(1000000000, 1000000), (1000000000000, 1000), (1000000000000000, 1)]) }}{%- endmacro %}
