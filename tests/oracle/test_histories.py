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
from .intake import OPTIONAL, cleaned, optional_columns
from .landing import Landing, added_rows, is_decidable, removed_rows, touched_dates
from .model import KEYS, tables
from .phenomena import phenomena

SEEDS = range(100)
# Every situation is in at least this many of the hundred histories.
FEWEST = 5
SITUATIONS = """
a day ahead exactly; a day and a microsecond ahead; alias call; alias calls at the guard; alias calls drop below the
guard; alias calls over the guard; alias calls rise above the guard; alias chain; alias of a device over the guard;
alias of a device with logins; alias of three ids; alias of two devices; alias of user and device; alias of user to
user; alias without previous_id; anonymous_id is a user; anonymous_id is a user and logs in as another; average of
uneven sessions; blank beside an id; blocked id; blocked id in another case; blocked ids set; client gains its first
user; client loses its last user; client of several users; client that is a user; client vanishes; client with and
without a user; client without a user; client's sessions are not the visitor's; clock change within the days;
conversion that is no round number; corrected country only; corrected device; corrected event only; corrected row of
events; corrected time to another day; corrected time within a day; corrected traits only; corrected url only;
corrected user; country of a later event; days out of order; deleted alias; deleted rows; device at the guard; device
drops below the guard; device in two sources; device of several users; device over the guard; device rises above the
guard; device_id beside a user_id; duplicate takes the place of the kept row; empty id; event a microsecond before
midnight; event at midnight; event without a name; events of measure_js; events of mixpanel; events of rudderstack;
events of segment; first and last page differ; first page after other events; first seen after the first event; funnel
completed; funnel completed twice; funnel entered again; funnel event that changes nothing; funnel pass begins
elsewhere; funnel pass over midnight; funnel pass over two sources; funnel stage gained; funnel stage lost; gap a
microsecond over; gap a microsecond under; gap of the timeout; guard of two; id changes its visitor; ids in UTF-16
order differ; ids that differ in case only; last page before other events; late rows; local day differs from UTC day;
local hour within a UTC hour; login by identify only; login decided by event_id; no edits; one id in two sources on
one day; one id in two tables on one day; one id on two days; one source other than rudderstack; other event within a
session gap; other page fields; other timeout; other track fields; other traits; page seen twice in a session; page
values unset; page view; person renamed; person with several users; persons join; persons part; policy first_user;
policy latest_user; policy merge; property in a page's values; received on a day that is none; records of all three
types; rejected duplicate_event_id; rejected future_timestamp; rejected no_event_id; rejected no_identity; rejected
no_timestamp; rejected without a day; repeated local hour; row broken; row mended; row outside the days; rudderstack
not the first of several; run of all days; run of one day; run of several days; run repeated; session of a client over
midnight; session of several users; session over midnight; session over three days; session over two devices; session
over two sources; session split at midnight; session split at two midnights; session splits; session without a
country; session without a page; session without event names; session's user before its end; sessions join; several
events of one insert_id; several faults; several passes of one day; several settled steps; several sources; stage that
nobody reached; step that leaves days to run; step without runs; the same row twice; tie decided by the vendor; tie in
time; tie where text order is not UTF-16 order; tie where text order is not number order; timeout of a day; timezone
America/New_York; timezone Asia/Kolkata; timezone UTC; trait last set empty; trait only ever empty; trait that
changes; two countries in a session; two events of one stage; two stages at one instant; user in distinct_id alone;
users first seen at one instant; visitor vanishes; visitor with all traits; visitor with some traits; visitor without
a session; visitor's traits change
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
        put = {cleaned(row, one.settings) for row in rows if row.table != "aliases"}
        assert 30 <= total_rows(one) <= MAX_ROWS
        assert 4 <= len(one.dates) <= 8
        assert len(one.dates) == (one.dates[-1] - one.dates[0]).days + 1
        assert len({row.anonymous_id for row in put} - {None, "n/a", "N/A"}) <= 20 + 6
        assert len({row.user_id for row in put} - {None, "n/a", "N/A"}) <= 6


def test_rows_are_of_the_sources_in_use(histories: list[History]) -> None:
    """Each in a file of its source and table, and with nothing that its source never sends."""
    for one in histories:
        for files in one.landings():
            for name, rows in files.items():
                assert all(name.startswith(f"{row.source}/{row.table}/") for row in rows)
        for row in (row for step in one.steps for edit in step.edits for row in added_rows(edit)):
            absent = set(OPTIONAL) - optional_columns(row.source, row.table)
            assert row.source in one.settings.sources
            assert not any(getattr(row, name) for name in absent)
            assert row.table != "events" or not (row.received_at or row.previous_id or row.traits)
            assert row.source != "measure_js" or row.id


def test_every_changed_day_is_run_after_its_last_change(histories: list[History]) -> None:
    """The law, followed through day by day."""
    for one in histories:
        last_change = dict.fromkeys((*one.dates, None), 0)
        last_run = dict.fromkeys(one.dates, -1)
        for number, step in enumerate(one.steps):
            for row in (row for edit in step.edits for row in removed_rows(edit) + added_rows(edit)):
                last_change |= dict.fromkeys(touched_dates(row, one.settings), number)
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
        for name, rows_of_table in expected.items():
            assert difference(rows_of_table, actual[name], KEYS[name]) is None


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
