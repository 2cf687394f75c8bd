"""Two tables compared as multisets of rows, and the first differences in words. Knows nothing of the tables."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Row = tuple[Any, ...]


def difference(
    expected: Sequence[Mapping[str, Any]],
    actual: Sequence[Mapping[str, Any]],
    key: Sequence[str],
    columns: Sequence[str] | None = None,
    limit: int = 5,
) -> str | None:
    """The first `limit` differences by key, or None where both hold the same rows equally often.

    Values are compared exactly, floats too. Without `columns` both sides must have exactly the same columns;
    with them, only those are compared.
    """
    names = list(columns) if columns is not None else list(next(iter([*expected, *actual]), {}))
    complaint = _column_complaint(expected, actual, [*names, *(k for k in key if k not in names)], columns is None)
    if complaint:
        return complaint
    wanted, found = _counted(expected, names), _counted(actual, names)
    missing, extra = wanted - found, found - wanted
    if not missing and not extra:
        return None
    places = [names.index(name) for name in key]
    lines = [
        f"expected {len(expected)} rows, found {len(actual)}; "
        f"{missing.total()} expected rows are missing, {extra.total()} were not expected"
    ]
    groups = _grouped(missing, extra, places)
    for identity in sorted(groups, key=_sortable)[:limit]:
        lines.extend(_described(dict(zip(key, identity, strict=True)), *groups[identity], names))
    if len(groups) > limit:
        lines.append(f"... and {len(groups) - limit} more keys")
    return "\n".join(lines)


def _column_complaint(
    expected: Sequence[Mapping[str, Any]], actual: Sequence[Mapping[str, Any]], names: Sequence[str], strict: bool
) -> str | None:
    """A sentence on the first row whose columns are not those asked for."""
    for side, rows in (("expected", expected), ("actual", actual)):
        for row in rows:
            lacking = [name for name in names if name not in row]
            beyond = [name for name in row if name not in names] if strict else []
            if lacking or beyond:
                return f"columns of the {side} rows: lacking {lacking}, beyond the others {beyond}"
    return None


def _counted(rows: Iterable[Mapping[str, Any]], names: Sequence[str]) -> Counter[Row]:
    return Counter(tuple(_frozen(row[name]) for name in names) for row in rows)


def _frozen(value: Any) -> Any:
    """A hashable stand-in that is equal exactly where the values are; NaN equals NaN."""
    if isinstance(value, Mapping):
        return tuple(sorted((name, _frozen(item)) for name, item in value.items()))
    if isinstance(value, list | tuple):
        return tuple(_frozen(item) for item in value)
    if isinstance(value, float) and value != value:
        return "NaN"
    return value


def _grouped(
    missing: Counter[Row], extra: Counter[Row], places: Sequence[int]
) -> dict[Row, tuple[list[Any], list[Any]]]:
    """The rows that differ, by key: those missing and those not expected."""
    groups: dict[Row, tuple[list[Any], list[Any]]] = defaultdict(lambda: ([], []))
    for side, rows in enumerate((missing, extra)):
        for row in rows.elements():
            groups[tuple(row[place] for place in places)][side].append(row)
    return groups


def _sortable(values: Row) -> tuple[Any, ...]:
    """Order keys with None first and without comparing unlike types."""
    return tuple((value is not None, type(value).__name__, value if value is not None else 0) for value in values)


def _described(identity: Mapping[str, Any], missing: list[Row], extra: list[Row], names: Sequence[str]) -> list[str]:
    """One key's difference: column by column if each side has one row, else the rows."""
    label = ", ".join(f"{name}={value}" for name, value in identity.items())
    if len(missing) == len(extra) == 1:
        pairs = zip(names, missing[0], extra[0], strict=True)
        changed = [f"    {name}: expected {_shown(a)}, found {_shown(b)}" for name, a, b in pairs if a != b]
        return [f"  {label}", *changed]
    lines = [f"  {label}"]
    for word, rows in (("missing", missing), ("not expected", extra)):
        lines.extend(f"    {word}: {_row_shown(row, names)}" for row in rows)
    return lines


def _row_shown(row: Row, names: Sequence[str]) -> str:
    return ", ".join(f"{name}={_shown(value)}" for name, value in zip(names, row, strict=True))


def _shown(value: Any) -> str:
    """Dates as ISO text, everything else as Python writes it."""
    return value.isoformat(" ") if hasattr(value, "hour") else str(value) if hasattr(value, "year") else repr(value)
