{{ config(meta={'dagster': {'ref': {'name': 'core_sessions'}}}) }}

-- A session ends strictly more than the timeout before the visitor's next one starts.
select session_key, session_start_at, session_end_at, next_session_start_at
from {{ ref('core_sessions') }}
where
    {{ in_window('session_start_date') }}
    and (
        session_end_at < session_start_at
        or {{ microseconds_between('session_end_at', 'next_session_start_at') }} <= {{ timeout_microseconds() }}
    )
