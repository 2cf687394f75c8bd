"""The histories obey their own law, are the same every time, and contain what they promise."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from .compare import difference
from .histories import MAX_ROWS, History, history, total_rows
from .landing import Landing, added_rows, is_decidable, removed_rows, touched_date
from .model import KEYS, tables
from .phenomena import phenomena

SEEDS = range(100)
# Every situation is in at least this many of the hundred histories.
FEWEST = 5
SITUATIONS = """
a day ahead exactly; a day and a microsecond ahead; alias call; alias chain; alias of a device over the guard;
alias of a device with logins; alias of user to user; alias without previous_id; anonymous_id is a user;
anonymous_id is a user and logs in as another; blocked id; blocked ids set; clock change within the days;
corrected device; corrected time to another day; corrected time within a day; corrected user; days out of order;
deleted alias; deleted rows; device at the guard; device drops below the guard; device of several users;
device over the guard; device rises above the guard; duplicate takes the place of the kept row; empty id;
event a microsecond before midnight; event at midnight; event without a name; gap a microsecond over;
gap a microsecond under; gap of the timeout; guard of two; id changes its visitor; ids in UTF-16 order differ;
ids that differ in a space only; ids that differ in case only; late rows; local day differs from UTC day;
login by identify only; login decided by event_id; no edits; one id in two tables on one day; one id on two days;
other event within a session gap; other timeout; person renamed; person with several users; persons join;
persons part; policy first_user; policy latest_user; policy merge; rejected duplicate_event_id;
rejected future_timestamp; rejected no_event_id; rejected no_identity; rejected no_timestamp; rejected without a day;
row broken; row mended; row outside the days; run of all days; run of one day; run of several days; run repeated;
session over midnight; session over three days; session over two devices; session splits; sessions join;
several faults; several settled steps; step that leaves days to run; step without runs; the same row twice;
tie in time; tie where text order is not number order; tie where text order is not UTF-16 order; timeout of a day;
timezone America/New_York; timezone Asia/Kolkata; timezone UTC; users first seen at one instant; visitor vanishes
"""


@pytest.fixture(scope="module")
def histories() -> list[History]:
    """The hundred histories."""
    return [history(seed) for seed in SEEDS]


def test_every_situation_occurs(histories: list[History]) -> None:
    """Each named situation is found often enough, and each found one is named."""
    counts = Counter(name for one in histories for name in phenomena(one))
    promised = {" ".join(name.split()) for name in SITUATIONS.split(";")}
    assert {name: counts[name] for name in promised if counts[name] < FEWEST} == {}
    assert set(counts) - promised == set()


def test_histories_are_small(histories: list[History]) -> None:
    """Rows, days and ids stay within what a reader can follow."""
    for one in histories:
        rows = [row for step in one.steps for edit in step.edits for row in added_rows(edit)]
        put = {row for row in rows if row.table != "aliases"}
        assert 30 <= total_rows(one) <= MAX_ROWS
        assert 4 <= len(one.dates) <= 8
        assert len(one.dates) == (one.dates[-1] - one.dates[0]).days + 1
        assert len({row.anonymous_id for row in put} - {None, "", "n/a"}) <= 20
        assert len({row.user_id for row in put} - {None, "", "n/a"}) <= 6


def test_every_changed_day_is_run_after_its_last_change(histories: list[History]) -> None:
    """The law, followed through day by day."""
    for one in histories:
        last_change = dict.fromkeys((*one.dates, None), 0)
        last_run = dict.fromkeys(one.dates, -1)
        for number, step in enumerate(one.steps):
            for row in (row for edit in step.edits for row in removed_rows(edit) + added_rows(edit)):
                last_change[touched_date(row, one.settings)] = number
            for run in step.runs:
                assert one.dates[0] <= run.first <= run.last <= one.dates[-1]
                last_run |= dict.fromkeys(run.dates(), number)
        assert all(last_change[day] <= last_run[day] for day in one.dates), one.seed
        assert last_change[None] <= max(last_run.values()), one.seed
        assert one.settled()[-1], one.seed


def test_the_kept_duplicate_is_always_decided(histories: list[History]) -> None:
    """No landing leaves the choice to the order of the content."""
    for one in histories:
        for files in one.landings():
            rows = [row for its in files.values() for row in its]
            assert all(is_decidable(row, rows) for row in rows)


def test_the_order_of_rows_does_not_matter(histories: list[History]) -> None:
    """The model depends on what the landing holds, not on where."""
    for one in histories:
        rows = one.final_rows()
        expected = tables(rows, one.settings, one.dates[0], one.dates[-1])
        Random(one.seed).shuffle(rows)
        actual = tables(rows, one.settings, one.dates[0], one.dates[-1])
        for name, key in KEYS.items():
            assert difference(expected[name], actual[name], key) is None


def test_final_rows_are_what_the_edits_leave() -> None:
    """The last landing is the sum of all edits."""
    one = history(7)
    landing = Landing()
    for edit in (edit for step in one.steps for edit in step.edits):
        landing.apply(edit)
    assert Counter(one.final_rows()) == Counter(landing.rows())
    assert one.landings()[-1] == landing.snapshot()


def test_a_seed_gives_the_same_history_in_every_process() -> None:
    """Neither the hash seed nor what was drawn before has a say."""
    program = f"from {history.__module__} import history; print(ascii(history(11).describe()))"
    root = Path(__file__).parents[history.__module__.count(".")]
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert said == {ascii(history(11).describe())}


def test_a_history_can_be_read() -> None:
    """The description shows the settings, every edited row and every run."""
    one = history(5)
    text = one.describe()
    assert text.startswith("history(5)\n  Settings(")
    assert all(repr(row.id) in text for row in one.final_rows())
    assert all(str(run) in text for step in one.steps for run in step.runs)
