{#- The rules of touches, each in one place: where a visit came from. docs/analytics.md explains them. -#}

{#- The five values that mark a campaign: columns of events, and parameters of addresses. -#}
{% macro campaign_values() -%}{{ return(['utm_source', 'utm_medium', 'utm_campaign', 'utm_content', 'utm_term']) }}{%- endmacro %}

{#- Whether a touch is direct, by Google's rule for the channel group. A campaign may give the source `(direct)` and no medium. -#}
{% macro is_direct(source, medium) -%}(lower({{ source }}) = '(direct)' and lower({{ medium }}) in ('(none)', '(not set)')){%- endmacro %}

{#- Whether the host is the domain, or lies below it. -#}
{% macro is_on_domain(host, domain) -%}({{ host }} = {{ domain }} or ends_with({{ host }}, concat('.', {{ domain }}))){%- endmacro %}

{#- Whether a touch is recent enough to count at a moment. -#}
{% macro is_in_lookback(touch_at, at) -%}
    {{ touch_at }} >= {{ add_microseconds(at, -1 * var('attribution_lookback_days') * 86400 * 1000000) }}
{%- endmacro %}

{#- The columns of the last touch that is not direct, from rows of session_facts: the newest such touch if it is recent enough, else direct. -#}
{% macro last_non_direct(column) -%}
    {%- set otherwise = {
        'source': "'(direct)'", 'medium': "'(none)'", 'campaign': 'null', 'channel_group': 'direct_channel_group',
    }[column] -%}
    case when {{ is_in_lookback('newest_touch_at', 'session_start_at') }} then newest_touch_{{ column }} else {{ otherwise }} end
{%- endmacro %}

{#-
The touch of each event that has one: the first of three kinds that applies. `events` is the name of a CTE with one row per event: event_id, event_date,
url, search, referrer_host, page_host (both without www.) and the five campaign values of its columns, null where blank.

Gives event_id, event_date, touch_source, touch_medium, touch_campaign, touch_content, touch_term.
-#}
{% macro touches_of(events) -%}
    with queries as (
        select event_id, event_date, {{ query_of('url', 'search') }} as query
        from {{ events }}
        where strpos(url, '=') > 0 or strpos(search, '=') > 0
    ),

    parts as (
        {{ with_parts('queries', ['event_id', 'event_date'], 'query', '&') }}
    ),

    named as (
        select event_id, event_date, part_number, part, {{ before_first('part', '=') }} as name from parts
    ),

    -- Only parameters that something is made of are decoded.
    parameters as (
        select
            named.event_id,
            named.event_date,
            named.part_number,
            named.name,
            click_ids.priority,
            {{ decoded_value('named.part') }} as value
        from named
        left join {{ ref('click_ids') }} as click_ids on named.name = click_ids.parameter
        where click_ids.priority is not null or named.name in ('{{ campaign_values() | join("', '") }}')
    ),

    marked as (
        select
            event_id,
            event_date,
            min(priority) as priority
            {%- for name in campaign_values() %},
            {{ first_value_in_order("case when name = '" ~ name ~ "' then value end", 'part_number') }} as {{ name }}
            {%- endfor %}
        from parameters
        where trim(value) <> ''
        group by event_id, event_date
    ),

    hosts as (
        select distinct referrer_host as host from {{ events }}
        where referrer_host is not null and (page_host is null or referrer_host <> page_host)
    ),

    referrers as (
        select
            hosts.host,
            coalesce(known.source, hosts.host) as source,
            case when known.type = 'search' then 'organic' else 'referral' end as medium
        from hosts
        left join {{ ref('referrer_hosts') }} as known on hosts.host = known.host
        where
            true
            {%- for domain in own_and_ignored_domains() %}
            and not {{ is_on_domain('hosts.host', text_literal(domain)) }}
            {%- endfor %}
    ),

    candidates as (
        select
            events.event_id,
            events.event_date,
            {% for name in campaign_values() -%}
            coalesce(events.{{ name }}, marked.{{ name }}) as {{ name }},
            {% endfor -%}
            click_ids.source as click_source,
            click_ids.medium as click_medium,
            referrers.source as referrer_source,
            referrers.medium as referrer_medium
        from {{ events }} as events
        left join marked on events.event_id = marked.event_id and events.event_date = marked.event_date
        left join {{ ref('click_ids') }} as click_ids on marked.priority = click_ids.priority
        left join referrers
            on events.referrer_host = referrers.host and (events.page_host is null or events.referrer_host <> events.page_host)
        where
            marked.event_id is not null
            or referrers.host is not null
            {%- for name in campaign_values() %}
            or events.{{ name }} is not null
            {%- endfor %}
    ),

    kinds as (
        select
            *,
            utm_source is not null or utm_medium is not null or utm_campaign is not null as is_campaign
        from candidates
    )

    select
        event_id,
        event_date,
        case when is_campaign then coalesce(utm_source, '(not set)') else coalesce(click_source, referrer_source) end as touch_source,
        case
            when is_campaign then coalesce(utm_medium, '(not set)')
            when click_source is not null then click_medium
            else referrer_medium
        end as touch_medium,
        case when is_campaign then utm_campaign end as touch_campaign,
        case when is_campaign then utm_content end as touch_content,
        case when is_campaign then utm_term end as touch_term
    from kinds
    where is_campaign or click_source is not null or referrer_source is not null
{%- endmacro %}

{#- Domains whose pages are no referrers. -#}
{% macro own_and_ignored_domains() -%}
    {%- set domains = [] -%}
    {%- for domain in var('own_domains') -%}{%- do domains.append(bare_host(domain)) -%}{%- endfor -%}
    {%- for row in ignored_referrer_rows() -%}{%- do domains.append(row.host) -%}{%- endfor -%}
    {{ return(domains) }}
{%- endmacro %}

{#- The channel groups of touches: `touches` is the name of a CTE with distinct touch_source, touch_medium, touch_campaign. Adds channel_group. -#}
{% macro channels_of(touches) -%}
    with source_types as (
        select name, type
        from (
            select host as name, type, 1 as precedence, host from {{ ref('referrer_hosts') }}
            union all
            select source as name, type, 2 as precedence, host from {{ ref('referrer_hosts') }}
        ) as names
        qualify row_number() over (partition by name order by precedence, host) = 1
    )

    select
        touches.touch_source,
        touches.touch_medium,
        touches.touch_campaign,
        {{ channel_group_of('source_types.type', 'touches.touch_source', 'touches.touch_medium', 'touches.touch_campaign') }} as channel_group
    from {{ touches }} as touches
    left join source_types on lower(touches.touch_source) = source_types.name
{%- endmacro %}

{#- The channel group of the first rule of the seed channel_rules whose patterns match; Unassigned if no rule matches. A rule without a pattern takes
    any value. The arguments are SQL. -#}
{% macro channel_group_of(type, source, medium, campaign) -%}
    {%- set values = {'type_pattern': type, 'source_pattern': source, 'medium_pattern': medium, 'campaign_pattern': campaign} -%}
    {%- set rules = [] -%}
    {%- for rule in channel_rule_rows() -%}
        {%- set matches = [] -%}
        {%- for pattern, value in values.items() if rule[pattern] -%}
            {%- do matches.append(matches_whole("coalesce(" ~ value ~ ", '')", text_literal(rule[pattern]))) -%}
        {%- endfor -%}
        {%- do rules.append('when ' ~ (matches | join(' and ') or 'true') ~ ' then ' ~ text_literal(rule.channel_group)) -%}
    {%- endfor -%}
    {{ return('case ' ~ rules | join(' ') ~ " else 'Unassigned' end" if rules else "'Unassigned'") }}
{%- endmacro %}

{#- A bound on the dates of touches that a run may need: attribution_lookback_days before its earliest frontier, and one day more for the
    timezone. -#}
{% macro since_lookback(date) -%}{{ date }} >= {{ frontier_date(var('attribution_lookback_days') + 1) }}{%- endmacro %}

{#- A host that people wrote, in the form in which hosts of referrers are compared: lower case, without blanks around it, and without www. or the dot
    by which cookies name a domain. -#}
{% macro bare_host(host) -%}{{ return(modules.re.sub('^(www)?[.]', '', host.strip().lower())) }}{%- endmacro %}
