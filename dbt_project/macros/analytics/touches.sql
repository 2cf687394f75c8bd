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

    ignored as (
        select distinct hosts.host
        from hosts
        cross join {{ ref('ignored_referrers') }} as ignored_referrers
        where {{ is_on_domain('hosts.host', 'ignored_referrers.host') }}
    ),

    referrers as (
        select
            hosts.host,
            coalesce(known.source, hosts.host) as source,
            case when known.type = 'search' then 'organic' else 'referral' end as medium
        from hosts
        left join ignored on hosts.host = ignored.host
        left join {{ ref('referrer_hosts') }} as known on hosts.host = known.host
        where
            ignored.host is null
            {%- for domain in var('own_domains') %}
            and not {{ is_on_domain('hosts.host', text_literal(bare_host(domain))) }}
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

{#-
The channel group of touches. `touches` is the name of a CTE with distinct touch_source, touch_medium, touch_campaign.

Adds channel_group: that of the first rule of the seed channel_rules whose patterns match, or Unassigned if no rule matches. The warehouse compiles
a pattern for each row that it is matched with, so each distinct value meets each distinct pattern once.
-#}
{% macro channels_of(touches) -%}
    with source_types as (
        select name, type
        from (
            select host as name, type, 1 as precedence, host from {{ ref('referrer_hosts') }}
            union all
            select source as name, type, 2 as precedence, host from {{ ref('referrer_hosts') }}
        ) as names
        qualify row_number() over (partition by name order by precedence, host) = 1
    ),

    typed as (
        select
            touches.touch_source,
            touches.touch_medium,
            coalesce(touches.touch_campaign, '') as touch_campaign,
            coalesce(source_types.type, '') as touch_type
        from {{ touches }} as touches
        left join source_types on lower(touches.touch_source) = source_types.name
    ),

    {% set aspects = ['type', 'source', 'medium', 'campaign'] -%}
    {% for aspect in aspects -%}
    {{ aspect }}_matches as (
        select found.value, patterns.pattern
        from (select distinct touch_{{ aspect }} as value from typed) as found
        cross join (
            select distinct {{ aspect }}_pattern as pattern from {{ ref('channel_rules') }} where {{ aspect }}_pattern <> ''
        ) as patterns
        where {{ matches_whole('found.value', 'patterns.pattern') }}
    ),

    {% endfor -%}
    ruled as (
        select
            typed.touch_source,
            typed.touch_medium,
            typed.touch_campaign,
            rules.channel_group
        from typed
        cross join {{ ref('channel_rules') }} as rules
        {% for aspect in aspects -%}
        left join {{ aspect }}_matches
            on typed.touch_{{ aspect }} = {{ aspect }}_matches.value and rules.{{ aspect }}_pattern = {{ aspect }}_matches.pattern
        {% endfor -%}
        where
            {%- for aspect in aspects %}
            {{ 'and ' if not loop.first }}(coalesce(rules.{{ aspect }}_pattern, '') = '' or {{ aspect }}_matches.value is not null)
            {%- endfor %}
        qualify row_number() over (
            partition by typed.touch_source, typed.touch_medium, typed.touch_campaign order by rules.rule_order
        ) = 1
    )

    select
        touches.touch_source,
        touches.touch_medium,
        touches.touch_campaign,
        coalesce(ruled.channel_group, 'Unassigned') as channel_group
    from {{ touches }} as touches
    left join ruled
        on
            touches.touch_source = ruled.touch_source
            and touches.touch_medium = ruled.touch_medium
            and coalesce(touches.touch_campaign, '') = ruled.touch_campaign
{%- endmacro %}

{#- A bound on the dates of touches that a run may need: attribution_lookback_days before its earliest frontier, and one day more for the
    timezone. -#}
{% macro since_lookback(date) -%}{{ date }} >= {{ frontier_date(var('attribution_lookback_days') + 1) }}{%- endmacro %}

{#- A host that people wrote, in the form in which hosts of referrers are compared: lower case, without blanks around it, and without www. or the dot
    by which cookies name a domain. -#}
{% macro bare_host(host) -%}{{ return(modules.re.sub('^(www)?[.]', '', host.strip().lower())) }}{%- endmacro %}
