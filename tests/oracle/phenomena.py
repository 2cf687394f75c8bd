"""Which of the situations that the histories are meant to contain a history does contain, found from outside.

Nothing here knows how a history was drawn: it looks at the landing, the runs, and the model's tables of each step.
"""

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

from .family_situations import in_family_change, in_funnel, in_measure_js, in_mixpanel, in_segment, in_sources
from .histories import History, Step
from .landing import Correct, Delete, Put, added_rows, removed_rows, touched_date
from .situations import State, in_events, in_identity, in_rows, in_sessions, true_names

IN_STATE = (in_rows, in_events, in_identity, in_sessions, in_sources, in_mixpanel, in_segment, in_measure_js, in_funnel)


def in_edits(step: Step, state: State, ran: set[date]) -> set[str]:
    """Situations of the edits after the first load."""
    rows = {row for edit in step.edits for row in (*added_rows(edit), *removed_rows(edit))}
    days_of = {row: {touched_date(row, state.settings)} for row in rows}
    corrected = [(edit.old, edit.new) for edit in step.edits if isinstance(edit, Correct)]
    moved = [(a, b) for a, b in corrected if a.timestamp and b.timestamp and a.timestamp != b.timestamp]
    sound = [(a, b) for a, b in corrected if a.id and b.id and a.timestamp and b.timestamp]
    return true_names(
        {
            "late rows": any(days_of[row] & ran for edit in step.edits if isinstance(edit, Put) for row in edit.rows),
            "deleted rows": any(isinstance(edit, Delete) for edit in step.edits),
            "deleted alias": any(isinstance(e, Delete) and "/aliases/" in e.file for e in step.edits),
            "corrected user": any(a.user_id != b.user_id for a, b in sound),
            "corrected device": any(a.anonymous_id != b.anonymous_id for a, b in sound),
            "corrected time within a day": any(days_of[a] == days_of[b] for a, b in moved),
            "corrected time to another day": any(days_of[a] != days_of[b] for a, b in moved),
            "row broken": any(b.timestamp is None or not b.id for a, b in corrected if a.id and a.timestamp),
            "row mended": any(b.timestamp and b.id for a, b in corrected if not (a.id and a.timestamp)),
            "no edits": not step.edits,
            "corrected country only": any(b == replace(a, country=b.country) for a, b in corrected),
            "corrected url only": any(b == replace(a, url=b.url) for a, b in corrected),
            "corrected traits only": any(b == replace(a, traits=b.traits) for a, b in corrected),
            "corrected event only": any(b == replace(a, event=b.event) for a, b in corrected),
            "corrected row of events": any(a.table == "events" for a, _ in corrected),
        }
    )


def in_change(before: State, after: State) -> set[str]:
    """Situations of what a step's edits change in the outputs."""
    lasting = before.visitor_of.keys() & after.visitor_of.keys()
    old, new = before.visitor_of, after.visitor_of
    pairs = [(a, b) for a in lasting for b in lasting if a < b]
    events = before.session_of.keys() & after.session_of.keys()
    kept_visitor = [e for e in events if _visitor(before, e) == _visitor(after, e)]
    to_new, to_old = defaultdict(set), defaultdict(set)
    for event in kept_visitor:
        visitor = _visitor(after, event)
        to_new[visitor, before.session_of[event]].add(after.session_of[event])
        to_old[visitor, after.session_of[event]].add(before.session_of[event])
    merge = before.settings.identity_policy == "merge"
    return true_names(
        {
            "id changes its visitor": any(old[i] != new[i] for i in lasting),
            "persons join": any(old[a] != old[b] and new[a] == new[b] for a, b in pairs),
            "persons part": any(old[a] == old[b] and new[a] != new[b] for a, b in pairs),
            "person renamed": any(old[a] == old[b] != new[a] == new[b] for a, b in pairs),
            "visitor vanishes": set(old.values()) - set(new.values()),
            "device rises above the guard": merge and (after.crowded - before.crowded) & lasting,
            "device drops below the guard": merge and (before.crowded - after.crowded) & lasting,
            "alias calls rise above the guard": (after.hubs - before.hubs) & lasting,
            "alias calls drop below the guard": (before.hubs - after.hubs) & lasting,
            "sessions join": any(len(its) > 1 for its in to_old.values()),
            "session splits": any(len(its) > 1 for its in to_new.values()),
            "duplicate takes the place of the kept row": _promoted(before, after),
        }
    )


def _visitor(state: State, event: tuple[Any, ...]) -> str:
    return state.session_of[event].split(" - ", 1)[1]


def _promoted(before: State, after: State) -> bool:
    """Whether an event has replaced a row that was rejected as its duplicate."""
    kept = {(e["event_date"], e["event_id"]): e["timestamp"] for e in before.events}
    doubled = {
        (row["event_date"], row["event_id"])
        for row in before.tables["core.rejected_events"]
        if row["reason"] == "duplicate_event_id"
    }
    now = {(e["event_date"], e["event_id"]): e["timestamp"] for e in after.events}
    return any(key in now and now[key] > kept[key] for key in doubled & kept.keys())


def in_runs(history: History) -> set[str]:
    """Situations of the runs."""
    runs = [run for step in history.steps for run in step.runs]
    settled = history.settled()
    return {f"timezone {history.settings.timezone}", f"policy {history.settings.identity_policy}"} | true_names(
        {
            "run of one day": any(run.first == run.last for run in runs),
            "run of several days": any(run.first < run.last < history.dates[-1] for run in runs),
            "run of all days": any((run.first, run.last) == (history.dates[0], history.dates[-1]) for run in runs),
            "run repeated": any(count > 1 for count in Counter(runs).values()),
            "days out of order": any(b.last < a.first for a, b in pairwise(runs)),
            "step without runs": any(not step.runs for step in history.steps),
            "step that leaves days to run": not all(settled),
            "several settled steps": sum(settled) > 1,
            "other timeout": history.settings.session_timeout_seconds != 1800,
            "timeout of a day": history.settings.session_timeout_seconds == 86400,
            "guard of two": history.settings.max_users_per_alias == 2,
            "blocked ids set": history.settings.blocked_ids,
        }
    )


def phenomena(history: History) -> set[str]:
    """Everything found in one history."""
    found = in_runs(history)
    before, ran = None, set()
    for step, files in zip(history.steps, history.landings(), strict=True):
        state = State([row for rows in files.values() for row in rows], history.settings, history.dates)
        for situations in IN_STATE:
            found |= situations(state)
        if before is not None:
            found |= in_edits(step, state, ran) | in_change(before, state) | in_family_change(before, state)
        ran |= {day for run in step.runs for day in run.dates()}
        before = state
    return found
