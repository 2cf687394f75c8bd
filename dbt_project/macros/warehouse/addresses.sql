{#- The parts of addresses (urls), where warehouses differ. docs/analytics.md defines each part. -#}

{#- A text; null if it is empty or blank. -#}
{% macro not_blank(text) -%}case when {{ text }} <> '' and trim({{ text }}) <> '' then {{ text }} end{%- endmacro %}

{#- The host of an address that begins with http:// or https://, in lower case and without user and port; null for other addresses. DuckDB splits
    texts several times faster than it matches regular expressions, and few hosts have a user or a port. -#}
{% macro http_host(url) -%}{{ return(adapter.dispatch('http_host')(url)) }}{%- endmacro %}
{% macro default__http_host(url) -%}
    {%- set parts = "string_split(" ~ url ~ ", '/')" -%}
    case
        when lower({{ parts }}[1]) in ('http:', 'https:') and {{ parts }}[2] = ''
            then nullif(lower(
                case
                    when regexp_matches({{ parts }}[3], '[@:?#]')
                        then regexp_extract({{ parts }}[3], '^(?:[^?#]*@)?([^?#]*?)(?::[0-9]*)?(?:[?#]|$)', 1)
                    else {{ parts }}[3]
                end
            ), '')
    end
{%- endmacro %}
{% macro bigquery__http_host(url) -%}
    nullif(lower(regexp_extract({{ url }}, r'^(?i:https?)://(?:[^/?#]*@)?([^/?#]*?)(?::[0-9]*)?(?:[/?#]|$)')), '')
{%- endmacro %}

{#- A host without `www.` before it; null if nothing is left. -#}
{% macro without_www(host) -%}case when starts_with({{ host }}, 'www.') then nullif(substr({{ host }}, 5), '') else {{ host }} end{%- endmacro %}

{#- The path of an address that begins with http:// or https://, `/` if it has no path; null for other addresses. -#}
{% macro http_path(url) -%}{{ return(adapter.dispatch('http_path')(url)) }}{%- endmacro %}
{% macro default__http_path(url) -%}
    case
        when regexp_matches({{ url }}, '^(?i:https?)://')
            then coalesce(nullif(regexp_extract({{ url }}, '^(?i:https?)://[^/?#]*([^?#]*)', 1), ''), '/')
    end
{%- endmacro %}
{% macro bigquery__http_path(url) -%}
    case
        when regexp_contains({{ url }}, r'^(?i:https?)://')
            then coalesce(nullif(regexp_extract({{ url }}, r'^(?i:https?)://[^/?#]*([^?#]*)'), ''), '/')
    end
{%- endmacro %}

{#- The query of an address: the text after its first ?, up to a #. After a #, a ? belongs to the fragment. Without a query, the text `search`
    without a leading ?. -#}
{% macro query_of(url, search) -%}
    {%- set page = before_first(url, '#') -%}
    case
        when strpos({{ page }}, '?') > 0 then substr({{ page }}, strpos({{ page }}, '?') + 1)
        when starts_with({{ search }}, '?') then substr({{ search }}, 2)
        else {{ search }}
    end
{%- endmacro %}

{#- The text before the first mark; the whole text if it has no mark. -#}
{% macro before_first(text, mark) -%}{{ return(adapter.dispatch('before_first')(text, mark)) }}{%- endmacro %}
{% macro default__before_first(text, mark) -%}string_split({{ text }}, '{{ mark }}')[1]{%- endmacro %}
{% macro bigquery__before_first(text, mark) -%}split({{ text }}, '{{ mark }}')[safe_offset(0)]{%- endmacro %}

{#- One row for each part of a text in each row of a relation: the relation's columns, part, and part_number, which counts up. -#}
{% macro with_parts(relation, columns, text, separator) -%}{{ return(adapter.dispatch('with_parts')(relation, columns, text, separator)) }}{%- endmacro %}
{% macro default__with_parts(relation, columns, text, separator) -%}
    {%- set parts = "string_split(" ~ text ~ ", '" ~ separator ~ "')" -%}
    select {{ columns | join(', ') }}, unnest({{ parts }}) as part, generate_subscripts({{ parts }}, 1) as part_number
    from {{ relation }}
{%- endmacro %}
{% macro bigquery__with_parts(relation, columns, text, separator) -%}
    select {{ columns | join(', ') }}, part, place as part_number
    from {{ relation }}
    cross join unnest(split({{ text }}, '{{ separator }}')) as part with offset as place
{%- endmacro %}

{#- The value of a parameter (name=value) of a query. A plus is a blank. Runs of %XX are decoded as UTF-8; a run that is not UTF-8 is kept. -#}
{% macro decoded_value(parameter) -%}{{ return(adapter.dispatch('decoded_value')(parameter)) }}{%- endmacro %}
{% macro default__decoded_value(parameter) -%}
    {%- set value = "replace(substr(" ~ parameter ~ ", strpos(" ~ parameter ~ ", '=') + 1), '+', ' ')" -%}
    {%- set pieces = "regexp_extract_all(" ~ value ~ ", '(?:%[0-9A-Fa-f]{2})+|[^%]+|%', 0, 's')" -%}
    case
        when strpos({{ parameter }}, '=') = 0 then null
        when contains({{ value }}, '%')
            then array_to_string(list_transform({{ pieces }}, lambda piece: coalesce(try(url_decode(piece)), piece)), '')
        else {{ value }}
    end
{%- endmacro %}
{% macro bigquery__decoded_value(parameter) -%}
    {%- set value = "replace(substr(" ~ parameter ~ ", strpos(" ~ parameter ~ ", '=') + 1), '+', ' ')" -%}
    {%- set bytes = "from_hex(replace(piece, '%', ''))" -%}
    case
        when strpos({{ parameter }}, '=') > 0
            then (
                select
                    coalesce(string_agg(
                        case
                            when regexp_contains(piece, r'^(?:%[0-9A-Fa-f]{2})+$')
                                then
                                    -- A byte that is not UTF-8 becomes another character, so the bytes then differ.
                                    case
                                        when cast(safe_convert_bytes_to_string({{ bytes }}) as bytes) = {{ bytes }}
                                            then safe_convert_bytes_to_string({{ bytes }})
                                        else piece
                                    end
                            else piece
                        end, '' order by place
                    ), '')
                from unnest(regexp_extract_all({{ value }}, r'(?:%[0-9A-Fa-f]{2})+|[^%]+|%')) as piece with offset as place
            )
    end
{%- endmacro %}
