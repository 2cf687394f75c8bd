"""Which days late rows ask for: pure decisions, and the cursor that remembers them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sessionization_dagster.late_data.plan import Change, Cursor, Plan, plan
from sessionization_dagster.window import Window, ranges

NOON = datetime(2024, 3, 20, 12)
FIRST, LAST = date(2024, 3, 10), date(2024, 3, 16)


def change(day: int, rows: int = 1, mark: str = "m", seen_at: datetime = NOON) -> Change:
    return Change(date(2024, 3, day), rows, seen_at, f"{mark} {day}")


def decide(changes: list[Change], ran: dict[int, datetime] | None = None, requested: tuple[str, ...] = ()) -> Plan:
    """Days ran long ago by default."""
    times = {date(2024, 3, day): at for day, at in (ran or {}).items()}

    def ran_at(day: date) -> datetime:
        return times.get(day, NOON - timedelta(days=2))

    return plan(changes, (FIRST, LAST), lambda day, since: ran_at(day) > (since or datetime.min), requested)


def test_neighbouring_days_are_one_request_and_others_wait() -> None:
    decided = decide([change(12), change(11, 5), change(14)])
    assert decided.request == Window.through(date(2024, 3, 11), date(2024, 3, 12))
    assert [pending.day.day for pending in decided.pending] == [11, 12, 14]
    after = decide([*decided.pending], requested=(decided.run_key,))
    assert after.request == Window.through(date(2024, 3, 14), date(2024, 3, 14))
    assert decide([*decided.pending], requested=(decided.run_key, after.run_key)).request is None


def test_the_same_changes_have_the_same_run_key_and_new_ones_another() -> None:
    key = decide([change(11), change(12)]).run_key
    assert decide([change(12), change(11)]).run_key == key
    assert decide([change(11), change(12), change(12, mark="new")]).run_key != key
    assert decide([change(11)]).run_key != key


def test_days_that_have_run_since_are_done() -> None:
    later = NOON + timedelta(seconds=1)
    assert decide([change(11), change(12)], {11: later, 12: later}) == Plan()
    assert decide([change(11), change(12)], {11: later}).request == Window.through(date(2024, 3, 12), date(2024, 3, 12))


def test_days_out_of_reach_are_counted_and_those_never_run_are_left_to_the_schedule() -> None:
    decided = decide(
        [change(9, 3), change(9, 4, "other"), change(8), change(10), change(17), change(13, 6)], {13: datetime.min}
    )
    assert decided.too_old == {date(2024, 3, 8): 1, date(2024, 3, 9): 7}
    assert decided.not_run == {date(2024, 3, 13): 6}
    assert [pending.day.day for pending in decided.pending] == [10]


@given(st.sets(st.dates(date(2024, 2, 20), date(2024, 3, 10))))
def test_ranges_hold_each_day_once_and_do_not_touch(days: set[date]) -> None:
    windows = ranges(days)
    listed = [window.start + timedelta(days=n) for window in windows for n in range((window.end - window.start).days)]
    assert listed == sorted(days)
    assert all(earlier.end < later.start for earlier, later in pairwise(windows))


def test_the_cursor_survives_as_text() -> None:
    cursor = Cursor("12", ("a", "b"), (change(11, 5),), ("late ...",))
    assert Cursor.from_text(cursor.as_text()) == cursor
    assert Cursor.from_text(None) == Cursor.from_text("") == Cursor()
