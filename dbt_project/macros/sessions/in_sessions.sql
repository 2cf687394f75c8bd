{#-
The session engine: one row per event, in its session.

`events` is the name of a CTE with one row per event:
  <entity>                                     the entity whose events are divided into sessions
  event_id, event, timestamp, event_sequence, event_date
  previous_event_at                            time of the entity's last event before these, null if there is none
  sessions_before, day_sessions_before         how many sessions of either kind the entity had before these events

Adds to its columns
  idle_time_minutes                            since the entity's event before, null for the first
  session_sequence_number                      1.. per entity
  session_start_at, session_end_at             times of the session's first and last event
  session_key                                  md5 of '<event_id>-<event_date>' of the session's first event: it survives renumbering
  split_cause                                  first or timeout, on a session's first event; null on the others
  track_sequence_number                        1.. per session
  day_session_number, day_track_number         the same where midnight in the reporting timezone ends a session too
  event_2 .. event_<flow_length>               the next events of the session

Two windows in the order of events: the second one sorts by the first one's row numbers. A window per session would be a third sort. The second
window also finds the next events of a session. If the first one found them, the second would have to sort them too.
-#}
{% macro in_sessions(events, entity) -%}
    {%- set steps = range(1, var('flow_length')) -%}
    {%- set so_far = 'over (entity_events rows between unbounded preceding and current row)' -%}
    {%- set from_here = 'over (entity_events rows between current row and unbounded following)' -%}
    select
        *,
        {{ minutes_between('idle_since', 'timestamp') }} as idle_time_minutes,
        cast(sessions_before + sum(is_session_start) {{ so_far }} as {{ type_bigint() }}) as session_sequence_number,
        max(case when is_session_start = 1 then timestamp end) {{ so_far }} as session_start_at,
        first_value(case when is_session_end = 1 then timestamp end ignore nulls) {{ from_here }} as session_end_at,
        last_value(case when is_session_start = 1 then {{ session_key() }} end ignore nulls) {{ so_far }} as session_key,
        case when idle_since is null then 'first' when is_session_start = 1 then 'timeout' end as split_cause,
        event_number - max(case when is_session_start = 1 then event_number end) {{ so_far }} + 1 as track_sequence_number,
        cast(day_sessions_before + sum(is_day_session_start) {{ so_far }} as {{ type_bigint() }}) as day_session_number,
        event_number - max(case when is_day_session_start = 1 then event_number end) {{ so_far }} + 1 as day_track_number
        {%- for step in steps %},
        case
            when {% for earlier in range(1, step + 1) %}lead(is_session_start, {{ earlier }}) over entity_events = 0{{ ' and ' if not loop.last }}{% endfor %}
                then lead(event, {{ step }}) over entity_events
        end as event_{{ step + 1 }}
        {%- endfor %}
    from (
        select
            *,
            case when {{ starts_session('idle_since', 'timestamp') }} then 1 else 0 end as is_session_start,
            case when next_event_at is null or {{ starts_session('timestamp', 'next_event_at') }} then 1 else 0 end as is_session_end,
            case
                when {{ starts_session('idle_since', 'timestamp') }} or event_date <> {{ local_date('idle_since') }} then 1 else 0
            end as is_day_session_start
        from (
            select
                *,
                row_number() over entity_events as event_number,
                coalesce(lag(timestamp) over entity_events, previous_event_at) as idle_since,
                lead(timestamp) over entity_events as next_event_at
            from {{ events }}
            window entity_events as (partition by {{ entity }} order by {{ event_order() }})
        ) as gaps
    ) as starts
    window entity_events as (partition by {{ entity }} order by event_number)
{%- endmacro %}

{#- Identifies a session, even if its number changes. -#}
{% macro session_key(event_id='event_id', event_date='event_date') -%}
    {{ return(dbt.hash("concat(" ~ event_id ~ ", '-', cast(" ~ event_date ~ " as " ~ dbt.type_string() ~ "))")) }}
{%- endmacro %}
