"""The attribution table: which visits a conversion is owed to, and how much of it under each model."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from .inputs import Settings
from .sessions import MICROSECOND
from .touches import DIRECT, Touch, channel_group
from .visits import MILLIONTHS, Visit

HALF_LIFE = timedelta(days=7)
# Parts of the newest touch.
WHOLE = 2**40
# Enough digits for the whole number to be the right one.
PRECISE = Context(prec=60)


def position_weights(count: int) -> list[float]:
    """Two fifths for the first and for the last, the rest for those between."""
    if count <= 2:
        return [1 / count] * count
    return [0.4, *[0.2 / (count - 2)] * (count - 2), 0.4]


def decay_parts(ages: Sequence[timedelta]) -> list[int]:
    """What is left of touches that are older than the newest by these times, in whole parts."""
    halvings = [PRECISE.divide(Decimal(age // MICROSECOND), Decimal(HALF_LIFE // MICROSECOND)) for age in ages]
    left = [PRECISE.multiply(PRECISE.power(Decimal(2), -number), Decimal(WHOLE)) for number in halvings]
    return [int(part.to_integral_value(ROUND_HALF_UP)) for part in left]


def attribution(visits: Sequence[Visit], settings: Settings) -> list[dict[str, Any]]:
    """One row per conversion of a visitor and touch that it is owed to."""
    lookback = timedelta(days=settings.attribution_lookback_days)
    rows = []
    for own in visits:
        for event, name, value in own.conversions:
            at = event.timestamp
            credited: list[tuple[Visit, Touch, str]] = [
                (visit, visit.touch, visit.channel_group)
                for visit in visits
                if at - lookback <= visit.session.start <= at and not visit.touch.is_direct
            ] or [(own, DIRECT, channel_group(DIRECT, settings.seeds))]
            count = len(credited)
            position = position_weights(count)
            newest = max(visit.session.start for visit, *_ in credited)
            parts = decay_parts([newest - visit.session.start for visit, *_ in credited])
            for number, (visit, touch, group) in enumerate(credited, start=1):
                rows.append(
                    {
                        "conversion_event_id": event.event_id,
                        "conversion_name": name,
                        "conversion_at": at,
                        "conversion_date": event.event_date,
                        "conversion_value": value / MILLIONTHS,
                        "dbt_visitor_id": own.session.visitor,
                        "session_key": visit.session.key,
                        "touch_at": visit.session.start,
                        "touch_source": touch.source,
                        "touch_medium": touch.medium,
                        "touch_campaign": touch.campaign,
                        "channel_group": group,
                        "touch_number": number,
                        "touch_count": count,
                        "first_touch_weight": float(number == 1),
                        "last_touch_weight": float(number == count),
                        "linear_weight": 1 / count,
                        "position_based_weight": position[number - 1],
                        "time_decay_weight": parts[number - 1] / sum(parts),
                    }
                )
    return rows
