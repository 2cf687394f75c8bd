"""Faults that somebody may make: one edit each, with the rule that it breaks. Applied to a copy of the project, never to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MACROS = "dbt_project/macros"
RULES, ENGINE, STAGING = f"{MACROS}/sessions/rules.sql", f"{MACROS}/sessions/in_sessions.sql", f"{MACROS}/staging"
FRONTIER, ROOT = f"{MACROS}/materializations/frontier.sql", f"{MACROS}/materializations/frontier_root.sql"
ROLLUP, BY_DATE = f"{MACROS}/materializations/rollup.sql", f"{MACROS}/materializations/date_overwrite.sql"
MODELS, CHECKS = "dbt_project/models", "dbt_project/tests"
PACKAGE = "sessionization_dagster"


@dataclass(frozen=True)
class Mutation:
    """One edit.

    Attributes:
        name: the rule that it breaks.
        file: below the project's root.
        old: text that the file has once.
        new: its replacement.
    """

    name: str
    file: str
    old: str
    new: str

    def apply(self, root: Path) -> None:
        """Edit the file below the root.

        Raises:
            ValueError: the file does not have the text, or not once.
        """
        path = root / self.file
        text = path.read_text()
        if text.count(self.old) != 1:
            raise ValueError(f"{self.name}: {self.file} has {self.old!r} {text.count(self.old)} times, wanted is once.")
        path.write_text(text.replace(self.old, self.new))


MUTATIONS = (
    # Session rules.
    Mutation(
        "a gap of exactly the timeout continues",
        RULES,
        "> {{ timeout_microseconds() }})",
        ">= {{ timeout_microseconds() }})",
    ),
    Mutation(
        "gaps are measured in microseconds",
        RULES,
        "{{ return(var('session_timeout_seconds') * 1000000) }}",
        "{{ return(var('session_timeout_seconds') * 1000) }}",
    ),
    Mutation(
        "a visitor's first event starts a session",
        RULES,
        "({{ earlier }} is null or {{ microseconds_between",
        "({{ earlier }} is not null and {{ microseconds_between",
    ),
    Mutation(
        "midnight splits Mixpanel's sessions",
        ENGINE,
        "or event_date <> {{ local_date(",
        "or event_date < {{ local_date(",
    ),
    Mutation(
        "a session's number comes first in its id",
        RULES,
        "cast({{ session_sequence_number }} as {{ dbt.type_string() }}), ' - ', {{ visitor }}",
        "{{ visitor }}, ' - ', cast({{ session_sequence_number }} as {{ dbt.type_string() }})",
    ),
    Mutation(
        "a client without a device is its user",
        RULES,
        "coalesce({{ prefix }}anonymous_id, {{ prefix }}user_id)",
        "coalesce({{ prefix }}user_id, {{ prefix }}anonymous_id)",
    ),
    Mutation(
        "identify calls make no sessions",
        RULES,
        "{{ event_type }} in ({% for type in var('session_event_types') %}",
        "{{ event_type }} not in ({% for type in var('session_event_types') %}",
    ),
    # The frontier.
    Mutation(
        "rows at the frontier are rewritten",
        FRONTIER,
        "{{ as_at(rewritten_since()) }} <= {{ config.get('at') }}",
        "{{ as_at(rewritten_since()) }} < {{ config.get('at') }}",
    ),
    Mutation(
        "the session before the frontier is written again",
        FRONTIER,
        "'coalesce(frontier.previous_session_at, frontier.reprocess_from)'",
        "'frontier.reprocess_from'",
    ),
    Mutation(
        "the earliest unfollowed frontier counts",
        FRONTIER,
        "order by reprocess_from, sequence desc) = 1",
        "order by reprocess_from desc, sequence desc) = 1",
    ),
    Mutation(
        "a model follows its parents as far as they are",
        FRONTIER,
        "and sequence <= {{ plan.sequence }}",
        "and sequence < {{ plan.sequence }}",
    ),
    Mutation(
        "rollups learn of rows that go",
        FRONTIER,
        " + note_changed_keys(rows_at_or_after(target_relation, frontier, bounds))",
        "",
    ),
    Mutation("rollups learn of rows that come", FRONTIER, "'after': note_changed_keys(this_run) + ", "'after': "),
    Mutation(
        "a session that may be open is rewritten from its start",
        ROOT,
        "case place when 'in the last session' then least(reprocess_from, last_session_at) else reprocess_from end",
        "reprocess_from",
    ),
    Mutation(
        "an open session is not counted before the frontier",
        ROOT,
        "case place when 'in the last session' then session_count - 1 else session_count end",
        "session_count",
    ),
    Mutation(
        "nothing comes before the first session",
        ROOT,
        " and state.first_session_at < requested.reprocess_from",
        " and state.first_session_at > requested.reprocess_from",
    ),
    Mutation(
        "rows of written days come from core.events alone",
        FRONTIER,
        " and not {{ in_days(config.get('date'), frontier_plan().days) }}",
        "",
    ),
    Mutation(
        "events of ids that the graph did not know are read",
        f"{MACROS}/materializations/requests.sql",
        "moved_aliases.is_new and not",
        "moved_aliases.is_new and false and not",
    ),
    Mutation(
        "state of a rewritten visitor is replaced",
        f"{MACROS}/materializations/state.sql",
        "delete from {{ state }} where entity in (select entity from {{ frontier }})",
        "delete from {{ state }} where false",
    ),
    Mutation(
        "a rollup deletes the notes that it has followed",
        ROLLUP,
        "{%- set after = [notes] + progress_noted(plan) -%}",
        "{%- set after = progress_noted(plan) -%}",
    ),
    Mutation(
        "a day that reruns to nothing ends empty",
        BY_DATE,
        "[deletion_of_days(target_relation, plan.days)]",
        "[deletion_of_days(target_relation, plan.days) ~ ' and exists (select 1 from (' ~ sql ~ ') as model)']",
    ),
    Mutation(
        "rejected rows without a date are replaced",
        BY_DATE,
        "deletion_of_days(relation, plan.days) ~ ' or ' ~ date ~ ' is null'",
        "deletion_of_days(relation, plan.days)",
    ),
    Mutation(
        "the window's end is exclusive",
        f"{MACROS}/sessions/window.sql",
        "{{ date }} < date '{{ window_end() }}'",
        "{{ date }} <= date '{{ window_end() }}'",
    ),
    # What is rebuilt.
    Mutation(
        "a changed table by day is rebuilt",
        f"{MACROS}/materializations/rebuilds.sql",
        "elif fingerprint and own.fingerprint != fingerprint",
        "elif not is_by_day and fingerprint and own.fingerprint != fingerprint",
    ),
    Mutation(
        "a changed view is its readers' change",
        f"{PACKAGE}/dbt/fingerprints.py",
        "parts.append(view.digest)",
        "pass",
    ),
    # Models.
    Mutation(
        "next_session_start_at is the next session's",
        f"{MODELS}/core/core_sessions.sql",
        "lead(session_start_at) over",
        "lag(session_start_at) over",
    ),
    Mutation(
        "tracks are numbered from 1 in their session",
        ENGINE,
        "when is_session_start = 1 then event_number end) {{ so_far }} + 1",
        "when is_session_start = 1 then event_number end) {{ so_far }}",
    ),
    Mutation(
        "event_2 is the next event of the session",
        ENGINE,
        "lead(event, {{ step }})",
        "lead(event, {{ step + 1 }})",
    ),
    Mutation(
        "a session ends with its last event",
        f"{MODELS}/core/core_sessions.sql",
        "max(timestamp) as session_end_at",
        "min(timestamp) as session_end_at",
    ),
    # Staging.
    Mutation(
        "an id in blocked_ids is nobody's",
        f"{STAGING}/identifiers.sql",
        "case when lower({{ id }}) not in",
        "case when {{ id }} not in",
    ),
    Mutation(
        "a clock a day ahead is right", f"{STAGING}/stage_events.sql", "24 * 3600 * 1000000", "12 * 3600 * 1000000"
    ),
    Mutation(
        "a row without anybody is rejected",
        f"{STAGING}/stage_events.sql",
        "when anonymous_id is null and user_id is null then 'no_identity'",
        "when anonymous_id is null or user_id is null then 'no_identity'",
    ),
    Mutation(
        "the earliest of several copies is the event",
        f"{STAGING}/event_windows.sql",
        "order by good.timestamp, good.received_at nulls last",
        "order by good.timestamp desc, good.received_at nulls last",
    ),
    Mutation(
        "a distinct_id that is not the device's is the user",
        f"{STAGING}/identifiers.sql",
        "{{ mixpanel_distinct_id(raw_table) }} <> {{ mixpanel_device_id(raw_table) }}",
        "{{ mixpanel_distinct_id(raw_table) }} = {{ mixpanel_device_id(raw_table) }}",
    ),
    Mutation(
        "later sources' ids are prefixed", f"{STAGING}/stage_events.sql", "if source == var('sources')[0]", "if true"
    ),
    # Identity.
    Mutation(
        "latest_user takes the newest login",
        f"{PACKAGE}/identity/policies.py",
        "rank = -sightings.pair_last if policy",
        "rank = sightings.pair_last if policy",
    ),
    Mutation(
        "a device of exactly the most users links",
        f"{PACKAGE}/identity/policies.py",
        "sightings.user_count[sightings.pair_anonymous] <= settings",
        "sightings.user_count[sightings.pair_anonymous] < settings",
    ),
    Mutation(
        "alias calls of shared devices link nothing",
        f"{PACKAGE}/identity/policies.py",
        "sightings.alias_count > settings.max_users_per_alias",
        "sightings.alias_count > 10 * settings.max_users_per_alias",
    ),
    Mutation(
        "a person is named by the user seen first",
        f"{PACKAGE}/identity/graph.py",
        "sightings.first_seen, ~sightings.is_user, person",
        "-sightings.first_seen, ~sightings.is_user, person",
    ),
    # Landing.
    Mutation(
        "the offset of a time counts",
        f"{PACKAGE}/landing/convert.py",
        "coalesce(try_cast({value} as timestamptz), try_cast({plain} as timestamptz))",
        "try_cast({value} as timestamp)",
    ),
    Mutation(
        "whole numbers are whole",
        f"{PACKAGE}/landing/convert.py",
        "case when {value} = floor({value}) then try_cast({value} as {wanted}) end",
        "try_cast({value} as {wanted})",
    ),
    Mutation(
        "a missing required column sets a file aside",
        f"{PACKAGE}/landing/delimited.py",
        "if column.required and not found[column.name]]",
        "if False and not found[column.name]]",
    ),
    # Checks, windows, the translator.
    Mutation(
        "devices of more users than allowed are shared",
        f"{CHECKS}/shared_devices.sql",
        "where shared.user_count > {{",
        "where shared.user_count >= {{",
    ),
    Mutation("a run may span days", f"{PACKAGE}/window.py", "return self.end - timedelta(days=1)", "return self.end"),
    Mutation(
        "neighbouring days run together",
        f"{PACKAGE}/window.py",
        "day - windows[-1].last <= timedelta(days=near)",
        "day - windows[-1].last < timedelta(days=near)",
    ),
    Mutation(
        "tests of severity error block",
        f"{PACKAGE}/dbt/events.py",
        '_node(event).get("node_status") == "fail"',
        '_node(event).get("node_status") == "error"',
    ),
)
