"""The sample as each source's vendor would have delivered it: the same events behind four doors, so that the table families compare.

The sample has no countries, devices, page calls or traits; here they are made from its ids and event names, the same each time.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import duckdb

from sessionization_dagster.warehouses.text import literal

SAMPLE = Path(__file__).parent / "sample_data" / "ecom_login" / "tracks.parquet"
FIRST_DAY, LAST_DAY = date(2024, 1, 4), date(2024, 6, 29)

_PAGES = """('home', 'catalog', 'search', 'filter_results', 'product_view', 'compare', 'cart', 'promo_page', 'account_page', 'review_page',
    'error_page')"""

_EVENTS = """
    select
        *,
        ['Germany', 'France', 'Spain', 'Poland', 'Brazil', 'Japan'][cast(md5_number_lower(anonymous_id) % 6 as int) + 1] as country,
        ['desktop', 'mobile', 'tablet'][cast(md5_number_upper(anonymous_id) % 3 as int) + 1] as device,
        ['Windows', 'Android', 'iOS'][cast(md5_number_upper(anonymous_id) % 3 as int) + 1] as os
    from sample
"""
_CALL = """id, anonymous_id, user_id, timestamp, country as context_location_country, device as context_device_type,
    os as context_os_name"""

_DOORS = {
    "rudderstack": {"tracks": f"select {_CALL}, event, context_page_url from events"},
    "segment": {
        "tracks": f"select {_CALL}, event, context_page_url from events where event not in {_PAGES}",
        "pages": f"""select {_CALL}, event as name, context_page_url as url, event as title
            from events where event in {_PAGES}""",
        "identifies": f"""select {_CALL.replace("id,", "'identify-' || id as id,", 1)}, user_id || '@shop.example' as email,
                ['free', 'plus'][cast(md5_number_lower(user_id) % 2 as int) + 1] as plan
            from events where user_id is not null
            qualify row_number() over (partition by anonymous_id, user_id order by timestamp, id) = 1""",
    },
    "mixpanel": {
        "events": """select id as insert_id, coalesce(user_id, '$device:' || anonymous_id) as distinct_id, anonymous_id as device_id,
                user_id, timestamp as time, epoch_ms(timestamp) as mp_processing_time_ms, event, country, device, os,
                context_page_url as current_url
            from events"""
    },
    "measure_js": {
        "events": f"""select timestamp, if(event in {_PAGES}, 'pageview', event) as event_name, anonymous_id as client_id, user_id,
                id as event_id, context_page_url as url, {{'type': device, 'os': os}} as device, {{'country': country}} as location
            from events"""
    },
}


def land_sample(landing: Path, sources: Iterable[str]) -> list[Path]:
    """Write the sample below the landing folder, as somebody would their own files; returns the files.

    Sources that the sample has no door for, those of one's own, are left as they are.
    """
    written = []
    with duckdb.connect() as connection:
        connection.execute(f"create view sample as from {literal(str(SAMPLE))}")
        connection.execute(f"create view events as {_EVENTS}")
        for source in sources:
            for table, query in _DOORS.get(source, {}).items():
                path = landing / source / table / "ecom_login.parquet"
                path.parent.mkdir(parents=True, exist_ok=True)
                connection.execute(f"copy ({query} order by all) to {literal(str(path))} (format parquet)")
                written.append(path)
    return written
