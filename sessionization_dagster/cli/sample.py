"""The sample in the format of each source's vendor: the same events in four formats, so that the table families can be compared.

The sample has no countries, devices, referrers, campaigns, user agents, order values, page calls or traits. They are made here from its
ids and event names, and are the same each time. Some late visits are moved over midnight, and a few rows that are no events are added.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import duckdb

from sessionization_dagster.warehouses.quoting import literal

SAMPLE = Path(__file__).parents[1] / "sample_data" / "ecom_login" / "tracks.parquet"
FIRST_DAY, LAST_DAY = date(2024, 1, 4), date(2024, 6, 29)

_PAGES = """('home', 'catalog', 'search', 'filter_results', 'product_view', 'compare', 'cart', 'promo_page', 'account_page', 'review_page',
    'error_page')"""

# Where visits come from. Each visit draws a number below 100. The columns are the first and the last number that draw the origin, the
# referrer, and the query string of the url.
_ORIGINS = """(values
    (30, 51, 'https://www.google.com/', null),
    (52, 56, 'https://www.bing.com/', null),
    (57, 66, 'https://www.google.com/', 'gclid='),
    (67, 74, null, 'utm_source=newsletter&utm_medium=email&utm_campaign=weekly'),
    (75, 80, 'https://l.facebook.com/', 'utm_source=facebook&utm_medium=paid_social&utm_campaign=spring_sale'),
    (81, 84, 'https://l.instagram.com/', null),
    (85, 87, 'https://www.youtube.com/', null),
    (88, 90, 'https://chatgpt.com/', null),
    (91, 94, 'https://gadget-blog.example/reviews/', null),
    (95, 97, null, 'utm_source=adnetwork&utm_medium=display&utm_campaign=retargeting'),
    (98, 99, 'https://coupons.example/', 'utm_source=coupons&utm_medium=affiliate')
) as origins (first_number, last_number, origin_referrer, origin_query)"""

_USER_AGENTS = """[
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36',
    'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36',
    'Mozilla/5.0 (iPad; CPU OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1'
]"""
_BOT = "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)"

# A visit's first event says where the visit came from. Every other event names the page before it. Half of the visits after a device's
# first have no origin. Of the devices without a login, one in fifty is a bot's. Of the visits after half past eight in the evening, one in
# six is moved: the middle of it is then at midnight. No device has another visit between.
_EVENTS = f"""
    with visits as (
        select
            *,
            sum(if(is_landing, 1, 0)) over by_device as visit,
            lag(context_page_url) over by_device as page_before
        from (
            select *, coalesce(timestamp - lag(timestamp) over by_device > interval 30 minute, true) as is_landing
            from sample
            window by_device as (partition by anonymous_id order by timestamp, id)
        )
        window by_device as (partition by anonymous_id order by timestamp, id rows unbounded preceding)
    ),

    timed as (
        select
            *,
            min(timestamp) over by_visit as starts_at,
            max(timestamp) over by_visit as ends_at,
            date_trunc('day', min(timestamp) over by_visit) + interval 1 day as midnight
        from visits
        window by_visit as (partition by anonymous_id, visit)
    ),

    moved as (
        select * replace (
            if(
                starts_at > midnight - interval 210 minute and midnight <= '{LAST_DAY}'
                and ends_at - starts_at > interval 4 minute and md5_number_upper(anonymous_id || ' ' || visit) % 6 = 1,
                timestamp + to_seconds(date_diff('second', starts_at, midnight) - date_diff('second', starts_at, ends_at) // 2),
                timestamp
            ) as timestamp
        )
        from timed
    ),

    drawn as (
        select
            *,
            md5_number_lower(anonymous_id) as device_draw,
            cast(md5_number_upper(anonymous_id) % 3 as int) + 1 as device_kind,
            max(user_id) over (partition by anonymous_id) is null as is_nobodys,
            md5_number_lower(anonymous_id || ' ' || visit) % 100 as number,
            visit > 1 and md5_number_upper(anonymous_id || ' ' || visit) % 2 = 0 as comes_by_itself
        from moved
    )

    select
        id,
        anonymous_id,
        user_id,
        timestamp,
        event,
        if(
            is_landing and origin_query is not null,
            context_page_url || '?' || if(origin_query = 'gclid=', origin_query || md5(anonymous_id || ' ' || visit)[:12], origin_query),
            context_page_url
        ) as url,
        if(is_landing, origin_referrer, page_before) as referrer,
        nullif(regexp_extract(origin_query, 'utm_source=([^&]+)', 1), '') as utm_source,
        nullif(regexp_extract(origin_query, 'utm_medium=([^&]+)', 1), '') as utm_medium,
        nullif(regexp_extract(origin_query, 'utm_campaign=([^&]+)', 1), '') as utm_campaign,
        ['Germany', 'France', 'Spain', 'Poland', 'Brazil', 'Japan'][cast(device_draw % 6 as int) + 1] as country,
        ['desktop', 'mobile', 'tablet'][device_kind] as device,
        ['Windows', 'Android', 'iOS'][device_kind] as os,
        if(is_nobodys and device_draw % 50 = 7, '{_BOT}', {_USER_AGENTS}[device_kind]) as user_agent,
        if(event = 'purchase', 15 + (md5_number_lower(id) % 18500) / 100, null) as value
    from drawn
    left join {_ORIGINS} on is_landing and not comes_by_itself and number between first_number and last_number
"""

# Rows that are rejected, one of each kind for some five thousand events: sent twice, without a time, without anybody's id.
_ROWS = """
    from sample_events
    union all
    select * from sample_events where md5_number_upper(id) % 5000 = 0
    union all
    select * replace ('untimed-' || id as id, null as timestamp) from sample_events where md5_number_upper(id) % 5000 = 1
    union all
    select * replace ('nobody-' || id as id, null as anonymous_id, null as user_id) from sample_events where md5_number_upper(id) % 5000 = 2
"""
_CALL = """id, anonymous_id, user_id, timestamp, country as context_location_country, device as context_device_type, os as context_os_name,
    referrer as context_page_referrer, utm_source as context_campaign_source, utm_medium as context_campaign_medium,
    utm_campaign as context_campaign_name, user_agent as context_user_agent"""

_VENDOR_TABLES = {
    "rudderstack": {"tracks": f"select {_CALL}, event, url as context_page_url, value from events"},
    "segment": {
        "tracks": f"select {_CALL}, event, url as context_page_url, value from events where event not in {_PAGES}",
        "pages": f"""select {_CALL}, event as name, url, event as title
            from events where event in {_PAGES}""",
        "identifies": f"""select {_CALL.replace("id,", "'identify-' || id as id,", 1)}, user_id || '@shop.example' as email,
                ['free', 'plus'][cast(md5_number_lower(user_id) % 2 as int) + 1] as plan
            from events where user_id is not null
            qualify row_number() over (partition by anonymous_id, user_id order by timestamp, id) = 1""",
    },
    "mixpanel": {
        "events": """select id as insert_id, coalesce(user_id, '$device:' || anonymous_id) as distinct_id, anonymous_id as device_id,
                user_id, timestamp as time, epoch_ms(timestamp) as mp_processing_time_ms, event, country, device, os,
                url as current_url, referrer, utm_source, utm_medium, utm_campaign, value
            from events"""
    },
    "measure_js": {
        "events": f"""select timestamp, if(event in {_PAGES}, 'pageview', event) as event_name, anonymous_id as client_id, user_id,
                id as event_id, url, referrer, user_agent, {{'type': device, 'os': os}} as device, {{'country': country}} as location, value
            from events"""
    },
}


def land_sample(landing: Path, sources: Iterable[str]) -> list[Path]:
    """Write the sample below the landing folder, as users put their own files there, and return the files.

    Sources without a sample format, such as a user's own, are left as they are.
    """
    written = []
    with duckdb.connect() as connection:
        connection.execute(f"create view sample as from {literal(str(SAMPLE))}")
        connection.execute(f"create view sample_events as {_EVENTS}")
        connection.execute(f"create view events as {_ROWS}")
        for source in sources:
            for table, query in _VENDOR_TABLES.get(source, {}).items():
                path = landing / source / table / "ecom_login.parquet"
                path.parent.mkdir(parents=True, exist_ok=True)
                connection.execute(f"copy ({query} order by all) to {literal(str(path))} (format parquet)")
                written.append(path)
    return written
