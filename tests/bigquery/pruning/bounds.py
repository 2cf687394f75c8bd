"""What a condition says about a column of days or instants, from its literals alone. What is not certain bounds nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlglot import exp

IsColumn = Callable[[exp.Expr], bool]
TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Bounds:
    """The values that may satisfy a condition: those from `lower` to `upper` if `some`, and null if `null`."""

    lower: datetime | None = None
    upper: datetime | None = None
    null: bool = False
    some: bool = True


EVERYTHING = Bounds(null=True)
NOTHING = Bounds(some=False)


def both(one: Bounds, other: Bounds) -> Bounds:
    """What satisfies two conditions at once."""
    lower = max((bound for bound in (one.lower, other.lower) if bound is not None), default=None)
    upper = min((bound for bound in (one.upper, other.upper) if bound is not None), default=None)
    null = one.null and other.null
    crossed = lower is not None and upper is not None and lower > upper
    if crossed or not (one.some and other.some):
        return Bounds(null=null, some=False)
    return Bounds(lower, upper, null)


def either(one: Bounds, other: Bounds) -> Bounds:
    """The hull of what satisfies one of two conditions."""
    null = one.null or other.null
    ranges = [bounds for bounds in (one, other) if bounds.some]
    lowers = [bounds.lower for bounds in ranges]
    uppers = [bounds.upper for bounds in ranges]
    return Bounds(
        lower=None if None in lowers else min((bound for bound in lowers if bound is not None), default=None),
        upper=None if None in uppers else max((bound for bound in uppers if bound is not None), default=None),
        null=null,
        some=bool(ranges),
    )


def bounds_of(condition: exp.Expr, is_column: IsColumn) -> Bounds:
    """The bounds that a condition puts on the column that `is_column` recognises."""
    if isinstance(condition, exp.Paren):
        return bounds_of(condition.this, is_column)
    if isinstance(condition, exp.And):
        return both(bounds_of(condition.left, is_column), bounds_of(condition.right, is_column))
    if isinstance(condition, exp.Or):
        return either(bounds_of(condition.left, is_column), bounds_of(condition.right, is_column))
    if isinstance(condition, exp.Boolean):
        return EVERYTHING if condition.this else NOTHING
    if isinstance(condition, exp.Is) and isinstance(condition.expression, exp.Null) and is_column(condition.this):
        return Bounds(null=True, some=False)
    if isinstance(condition, exp.Not):
        of_inner = bounds_of(condition.this.unnest(), is_column)
        return Bounds() if of_inner == Bounds(null=True, some=False) else EVERYTHING
    return _compared(condition, is_column)


def _compared(condition: exp.Expr, is_column: IsColumn) -> Bounds:
    if isinstance(condition, exp.Between) and is_column(condition.this):
        return both(_at_least(instant(condition.args["low"])), _at_most(instant(condition.args["high"])))
    if isinstance(condition, exp.In) and is_column(condition.this) and condition.expressions:
        values = [instant(value) for value in condition.expressions]
        known = [value for value in values if value is not None]
        return Bounds(min(known), max(known)) if len(known) == len(values) else EVERYTHING
    if not isinstance(condition, exp.EQ | exp.GT | exp.GTE | exp.LT | exp.LTE):
        return EVERYTHING
    if is_column(condition.left):
        return _COMPARISONS[type(condition)](instant(condition.right))
    if is_column(condition.right):
        return _COMPARISONS[_MIRRORED.get(type(condition), type(condition))](instant(condition.left))
    return EVERYTHING


def instant(value: exp.Expr) -> datetime | None:
    """The instant that a literal says, a date being its midnight; None where it is not a literal."""
    value = value.unnest()
    if isinstance(value, exp.Cast):
        known = value.to.this in (exp.DataType.Type.DATE, exp.DataType.Type.TIMESTAMPTZ)
        value = value.this if known else exp.Null()
    elif isinstance(value, exp.Date | exp.Timestamp) and not (value.expression or value.args.get("zone")):
        value = value.this
    if not (isinstance(value, exp.Literal) and value.is_string):
        return None
    try:
        read = datetime.fromisoformat(value.this.removesuffix(" UTC"))
    except ValueError:
        return None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def _at_least(value: datetime | None) -> Bounds:
    return EVERYTHING if value is None else Bounds(lower=value)


def _at_most(value: datetime | None) -> Bounds:
    return EVERYTHING if value is None else Bounds(upper=value)


_COMPARISONS: dict[type[exp.Expr], Callable[[datetime | None], Bounds]] = {
    exp.EQ: lambda value: both(_at_least(value), _at_most(value)),
    exp.GTE: _at_least,
    exp.LTE: _at_most,
    exp.GT: lambda value: _at_least(value and value + TICK),
    exp.LT: lambda value: _at_most(value and value - TICK),
}
_MIRRORED: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.GTE: exp.LTE,
    exp.LTE: exp.GTE,
    exp.GT: exp.LT,
    exp.LT: exp.GT,
}
