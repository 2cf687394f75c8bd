{{ config(
    materialized='frontier', entity='dbt_visitor_id', at='session_start_at', date='session_start_date',
    prior_columns=[
        'session_end_at', 'newest_touch_at', 'newest_touch_source', 'newest_touch_medium', 'newest_touch_campaign', 'newest_touch_channel_group',
    ],
    prior_order=['session_sequence_number']
) }}

-- depends_on: {{ ref('internal_traffic') }}, {{ ref('channel_rules') }}, {{ ref('ignored_referrers') }}

{%- set texts = [
    'event', 'url', 'path', 'title', 'referrer', 'search', 'utm_source', 'utm_medium', 'utm_campaign', 'utm_content', 'utm_term',
    'country', 'device', 'os', 'user_agent',
] %}
{%- set internal = internal_traffic_rows() %}
{%- set touch = ['touch_source', 'touch_medium', 'touch_campaign', 'touch_content', 'touch_term'] %}

with session_events as (
    select * from {{ from_frontier(ref('session_events')) }} as session_events
),

events as (
    select *
    from {{ ref('events') }}
    where event_date >= {{ frontier_date() }}
),

visits as (
    select
        session_events.event_id,
        session_events.event_date,
        session_events.dbt_visitor_id,
        session_events.anonymous_id,
        session_events.user_id,
        session_events.session_key,
        session_events.session_sequence_number,
        session_events.track_sequence_number,
        session_events.split_cause,
        session_events.source,
        {% for column in texts %}
            {{ not_blank('events.' ~ column) }} as {{ column }},
        {% endfor %}
        case when session_events.event_type in ('page', 'screen') then 1 else 0 end as is_page,
        -- No more than engaged_gap_seconds of a pause counts: nobody knows what was done in a longer one.
        case
            when session_events.track_sequence_number > 1
                then least({{ idle_microseconds('session_events.idle_time_minutes') }}, {{ var('engaged_gap_seconds') * 1000000 }})
            else 0
        end as engaged_microseconds,
        {% if internal %}
            case
                {% for row in internal %}
                    when {{ pattern_found('cast(events.' ~ row.column_name ~ ' as ' ~ dbt.type_string() ~ ')', row.pattern) }} then 1
                {% endfor %}
                else 0
            end as is_internal,
        {% else %}
            0 as is_internal,
        {% endif %}
        session_events.timestamp,
        session_events.session_start_at
    from session_events
    inner join events on session_events.event_id = events.event_id and session_events.event_date = events.event_date
),

addresses as (
    select *, {{ http_host('referrer') }} as host_before, {{ http_host('url') }} as own_host from visits
),

with_hosts as {{ computed_once() }} (
    select *, {{ without_www('host_before') }} as referrer_host, {{ without_www('own_host') }} as page_host from addresses
),

event_touches as (
    {{ touches_of('with_hosts') }}
),

described as (
    select
        with_hosts.*,
        event_touches.touch_source,
        event_touches.touch_medium,
        event_touches.touch_campaign,
        event_touches.touch_content,
        event_touches.touch_term,
        user_agents.browser as agent_browser,
        user_agents.os as agent_os,
        user_agents.device_type as agent_device_type,
        case when user_agents.is_bot then 1 else 0 end as is_bot
    from with_hosts
    left join event_touches
        on with_hosts.event_id = event_touches.event_id and with_hosts.event_date = event_touches.event_date
    left join {{ source('core', 'user_agents') }} as user_agents on with_hosts.user_agent = user_agents.user_agent
),

begun as (
    select
        session_key,
        dbt_visitor_id,
        session_sequence_number,
        session_start_at,
        max(timestamp) as session_end_at,
        count(*) as event_count,
        cast(sum(is_page) as {{ type_bigint() }}) as page_count,
        {{ gathered('case when is_page = 1 then coalesce(url, event) end') }} as pages,
        cast(sum(engaged_microseconds) as {{ type_bigint() }}) as engaged_microseconds,
        {{ first_row(['source', 'event', 'path', 'title', 'referrer', 'referrer_host'], 'track_sequence_number') }} as first_visit,
        {{ last_row(['event', 'path'], 'track_sequence_number') }} as last_visit,
        {{ first_row(['url', 'path', 'title', 'referrer', 'referrer_host'], 'track_sequence_number', 'url is not null') }} as landing,
        {{ last_row(['url', 'path'], 'track_sequence_number', 'url is not null') }} as leaving,
        {{ first_row(touch, 'track_sequence_number', 'touch_source is not null') }} as touch,
        {{ first_value_in_order('country', 'track_sequence_number') }} as country,
        {{ first_value_in_order('device', 'track_sequence_number') }} as device,
        {{ first_value_in_order('os', 'track_sequence_number') }} as os,
        {{ first_value_in_order('agent_device_type', 'track_sequence_number') }} as agent_device_type,
        {{ first_value_in_order('agent_os', 'track_sequence_number') }} as agent_os,
        {{ first_value_in_order('agent_browser', 'track_sequence_number') }} as browser,
        max(split_cause) as split_cause,
        max(is_bot) as is_bot,
        max(is_internal) as is_internal,
        {{ gathered('anonymous_id') }} as anonymous_ids,
        {{ gathered('user_id') }} as user_ids
    from described
    group by session_key, dbt_visitor_id, session_sequence_number, session_start_at
),

converted as (
    select session_key, dbt_visitor_id, count(*) as conversion_count, sum(conversion_amount) as conversion_amount
    from {{ from_frontier(ref('conversion_events'), at='conversion_at', date='conversion_date') }} as conversion_events
    group by session_key, dbt_visitor_id
),

opened as (
    select
        session_key,
        dbt_visitor_id,
        session_sequence_number,
        session_start_at,
        session_end_at,
        event_count,
        page_count,
        coalesce({{ distinct_count('pages') }}, 0) as unique_pages,
        engaged_microseconds,
        landing.url as landing_url,
        case when landing is null then first_visit.path else coalesce(landing.path, {{ http_path('landing.url') }}) end as landing_path,
        case when landing is null then first_visit.title else landing.title end as landing_title,
        case when landing is null then first_visit.referrer else landing.referrer end as referrer,
        case when landing is null then first_visit.referrer_host else landing.referrer_host end as referrer_host,
        leaving.url as exit_url,
        case when leaving is null then last_visit.path else coalesce(leaving.path, {{ http_path('leaving.url') }}) end as exit_path,
        coalesce(touch.touch_source, '(direct)') as touch_source,
        coalesce(touch.touch_medium, '(none)') as touch_medium,
        touch.touch_campaign,
        touch.touch_content,
        touch.touch_term,
        country,
        coalesce(device, agent_device_type) as device_type,
        coalesce(os, agent_os) as os,
        browser,
        first_visit.source,
        first_visit.event as first_event,
        last_visit.event as last_event,
        split_cause,
        is_bot,
        is_internal,
        anonymous_ids,
        user_ids
    from begun
),

summed as (
    select
        opened.*,
        coalesce(converted.conversion_count, 0) as conversion_count,
        coalesce(converted.conversion_amount, cast(0 as {{ type_amount() }})) as conversion_amount
    from opened
    left join converted on opened.session_key = converted.session_key and opened.dbt_visitor_id = converted.dbt_visitor_id
),

touches as (
    select distinct touch_source, touch_medium, touch_campaign from summed
),

channels as (
    {{ channels_of('touches') }}
),

ordered as (
    select
        summed.*,
        channels.channel_group,
        {{ channel_group_of("''", "'(direct)'", "'(none)'", "''") }} as direct_channel_group,
        summed.engaged_microseconds > {{ var('engaged_session_seconds') * 1000000 }}
        or summed.conversion_count > 0
        or summed.page_count >= 2 as is_engaged,
        lag(summed.session_end_at) over visitor as before_end_at,
        last_value(
            case
                when not {{ is_direct('summed.touch_source', 'summed.touch_medium') }}
                    then {{ struct_of({
                        'began_at': 'summed.session_start_at',
                        'source': 'summed.touch_source',
                        'medium': 'summed.touch_medium',
                        'campaign': 'summed.touch_campaign',
                        'channel_group': 'channels.channel_group',
                    }) }}
            end ignore nulls
        ) over (
            partition by summed.dbt_visitor_id order by summed.session_sequence_number rows between unbounded preceding and current row
        ) as newest_touch
    from summed
    inner join channels
        on
            summed.touch_source = channels.touch_source
            and summed.touch_medium = channels.touch_medium
            and coalesce(summed.touch_campaign, '') = coalesce(channels.touch_campaign, '')
    window visitor as (partition by summed.dbt_visitor_id order by summed.session_sequence_number)
),

with_newest_touch as (
    select
        *,
        newest_touch.began_at as touch_at,
        newest_touch.source as own_source,
        newest_touch.medium as own_medium,
        newest_touch.campaign as own_campaign,
        newest_touch.channel_group as own_channel_group
    from ordered
),

-- The visitor's last session before these, and the newest touch until then that was not direct.
prior_row as (
    {{ prior_rows({
        'session_end_at': dbt.type_timestamp(),
        'newest_touch_at': dbt.type_timestamp(),
        'newest_touch_source': dbt.type_string(),
        'newest_touch_medium': dbt.type_string(),
        'newest_touch_campaign': dbt.type_string(),
        'newest_touch_channel_group': dbt.type_string(),
    }) }}
),

sessions as (
    select
        with_newest_touch.session_key,
        with_newest_touch.dbt_visitor_id,
        with_newest_touch.session_sequence_number,
        with_newest_touch.session_start_at,
        with_newest_touch.session_end_at,
        {{ local_date('with_newest_touch.session_start_at') }} as session_start_date,
        with_newest_touch.event_count,
        with_newest_touch.page_count,
        with_newest_touch.unique_pages,
        with_newest_touch.engaged_microseconds,
        with_newest_touch.conversion_count,
        with_newest_touch.conversion_amount,
        with_newest_touch.is_engaged,
        case when with_newest_touch.page_count > 0 then not with_newest_touch.is_engaged end as is_bounce,
        with_newest_touch.landing_url,
        with_newest_touch.landing_path,
        with_newest_touch.landing_title,
        with_newest_touch.exit_url,
        with_newest_touch.exit_path,
        with_newest_touch.referrer,
        with_newest_touch.referrer_host,
        with_newest_touch.touch_source,
        with_newest_touch.touch_medium,
        with_newest_touch.touch_campaign,
        with_newest_touch.touch_content,
        with_newest_touch.touch_term,
        with_newest_touch.channel_group,
        coalesce(with_newest_touch.touch_at, prior_row.newest_touch_at) as newest_touch_at,
        coalesce(with_newest_touch.own_source, prior_row.newest_touch_source) as newest_touch_source,
        coalesce(with_newest_touch.own_medium, prior_row.newest_touch_medium) as newest_touch_medium,
        -- A touch without a campaign must not take the campaign of the touch before.
        case when with_newest_touch.touch_at is null then prior_row.newest_touch_campaign else with_newest_touch.own_campaign end as newest_touch_campaign,
        coalesce(with_newest_touch.own_channel_group, prior_row.newest_touch_channel_group) as newest_touch_channel_group,
        with_newest_touch.direct_channel_group,
        with_newest_touch.country,
        with_newest_touch.device_type,
        with_newest_touch.os,
        with_newest_touch.browser,
        with_newest_touch.source,
        with_newest_touch.first_event,
        with_newest_touch.last_event,
        with_newest_touch.split_cause,
        with_newest_touch.session_sequence_number = 1 as is_new_visitor,
        {{ seconds_between('coalesce(with_newest_touch.before_end_at, prior_row.session_end_at)', 'with_newest_touch.session_start_at') }} as seconds_since_previous_session,
        case
            when with_newest_touch.is_bot = 1 then 'bot'
            when with_newest_touch.is_internal = 1 then 'internal'
            -- More than 60 a minute is more than one a second.
            when
                with_newest_touch.event_count >= 200
                and with_newest_touch.event_count * 1000000 > {{ microseconds_between('with_newest_touch.session_start_at', 'with_newest_touch.session_end_at') }} then 'suspect'
            else 'human'
        end as traffic_type,
        {{ sorted_distinct('with_newest_touch.anonymous_ids') }} as anonymous_ids,
        {{ sorted_distinct('with_newest_touch.user_ids') }} as user_ids
    from with_newest_touch
    left join prior_row on with_newest_touch.dbt_visitor_id = prior_row.entity
)

select * from sessions
