{{ config(
    materialized='frontier', entity='dbt_visitor_id', at='conversion_at', date='conversion_date'
) }}

with conversion_events as (
    select * from {{ from_frontier(ref('conversion_events'), at='conversion_at', date='conversion_date') }} as conversion_events
),

-- A touch may lie attribution_lookback_days before the frontier, and one day more because of the timezone.
sessions as (
    select
        dbt_visitor_id, session_key, session_start_at, touch_source, touch_medium, touch_campaign, channel_group, direct_channel_group
    from {{ ref('session_facts') }}
    where {{ since_lookback('session_start_date') }}
),

touches as (
    select
        conversion_events.conversion_event_id,
        conversion_events.conversion_date,
        conversion_events.conversion_name,
        sessions.session_key,
        sessions.session_start_at as touch_at,
        sessions.touch_source,
        sessions.touch_medium,
        sessions.touch_campaign,
        sessions.channel_group
    from conversion_events
    inner join sessions on conversion_events.dbt_visitor_id = sessions.dbt_visitor_id
    where
        not {{ is_direct('sessions.touch_source', 'sessions.touch_medium') }}
        and sessions.session_start_at <= conversion_events.conversion_at
        and {{ is_in_lookback('sessions.session_start_at', 'conversion_events.conversion_at') }}
),

touched as (
    select distinct conversion_event_id, conversion_date, conversion_name from touches
),

-- A conversion without a touch counts for its own session, as direct.
direct as (
    select
        conversion_events.conversion_event_id,
        conversion_events.conversion_date,
        conversion_events.conversion_name,
        conversion_events.session_key,
        conversion_events.session_start_at as touch_at,
        '(direct)' as touch_source,
        '(none)' as touch_medium,
        cast(null as {{ dbt.type_string() }}) as touch_campaign,
        channel.channel_group
    from conversion_events
    cross join (select max(direct_channel_group) as channel_group from sessions) as channel
    left join touched
        on
            conversion_events.conversion_event_id = touched.conversion_event_id
            and conversion_events.conversion_date = touched.conversion_date
            and conversion_events.conversion_name = touched.conversion_name
    where touched.conversion_event_id is null
),

numbered as (
    select
        conversion_events.conversion_event_id,
        conversion_events.conversion_name,
        conversion_events.conversion_at,
        conversion_events.conversion_date,
        cast(conversion_events.conversion_amount as {{ type_double() }}) as conversion_value,
        conversion_events.dbt_visitor_id,
        counted.session_key,
        counted.touch_at,
        counted.touch_source,
        counted.touch_medium,
        counted.touch_campaign,
        counted.channel_group,
        row_number() over (conversion order by counted.touch_at) as touch_number,
        count(*) over conversion as touch_count,
        -- Halved for every 7 days that a touch is older than the newest. Whole numbers, so that their sum does not depend on the order of the rows.
        cast(round(
            power(2, -{{ seconds_between('counted.touch_at', 'max(counted.touch_at) over conversion') }} / 604800) * 1099511627776
        ) as {{ type_bigint() }}) as decay
    from (
        select * from touches
        union all
        select * from direct
    ) as counted
    inner join conversion_events
        on
            counted.conversion_event_id = conversion_events.conversion_event_id
            and counted.conversion_date = conversion_events.conversion_date
            and counted.conversion_name = conversion_events.conversion_name
    window conversion as (
        partition by conversion_events.conversion_event_id, conversion_events.conversion_date, conversion_events.conversion_name
    )
),

weighted as (
    select
        conversion_event_id,
        conversion_name,
        conversion_at,
        conversion_date,
        conversion_value,
        dbt_visitor_id,
        session_key,
        touch_at,
        touch_source,
        touch_medium,
        touch_campaign,
        channel_group,
        touch_number,
        touch_count,
        cast(case when touch_number = 1 then 1 else 0 end as {{ type_double() }}) as first_touch_weight,
        cast(case when touch_number = touch_count then 1 else 0 end as {{ type_double() }}) as last_touch_weight,
        cast(1 as {{ type_double() }}) / touch_count as linear_weight,
        case
            when touch_count = 1 then cast(1 as {{ type_double() }})
            when touch_count = 2 then cast(0.5 as {{ type_double() }})
            when touch_number in (1, touch_count) then cast(0.4 as {{ type_double() }})
            else cast(0.2 as {{ type_double() }}) / (touch_count - 2)
        end as position_based_weight,
        cast(decay as {{ type_double() }}) / cast(sum(decay) over conversion as {{ type_double() }}) as time_decay_weight
    from numbered
    window conversion as (partition by conversion_event_id, conversion_date, conversion_name)
)

select * from weighted
