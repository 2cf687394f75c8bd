"""The check matches_full_rebuild: silent on what is right, in whatever order it came about, and exact about what is not."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from sessionization_dagster.errors import DbtError
from sessionization_dagster.rebuild.keyed_tables import KeyedTable
from sessionization_dagster.rebuild.pipeline import Engine
from sessionization_dagster.rebuild.visitor_sample import SCRATCH, RawData, SampleRequest, take_sample
from tests.integration.recomputed import compare, problems, tables_of
from tests.integration.thin_driver import ThinDriver
from tests.oracle.histories import history
from tests.oracle.model import RawRow

# Policies first_user and merge, two timezones, days that wait for their run, copies of rows; and more than a few visitors. The other tests
# look at everybody of a history of policy latest_user and four sources.
HISTORIES = (38, 170)
VIEWS = ("dbt_aliases_mapping",)


@pytest.mark.parametrize("seed", HISTORIES)
def test_every_visitor_of_a_random_history_matches_at_any_time(seed: int, tmp_path: Path) -> None:
    """Looked at before the last step, where days may wait for their run, and after it, where none does."""
    past = history(seed)
    driver = ThinDriver(tmp_path, past.settings)
    steps = list(zip(past.landings(), past.steps, past.settled(), strict=True))
    for number, (landing, step, is_settled) in enumerate(steps):
        driver.land([row for rows in landing.values() for row in rows])
        for run in step.runs:
            driver.run(run.first, run.last)
        if number >= len(steps) - 2:
            comparison = compare(driver)
            assert not problems(comparison), past.describe()
            assert not (is_settled and comparison.pending), past.describe()
    visitors = comparison.sample.visitors
    assert len(visitors) > 5
    (tmp_path / ".recomputed-by-a-killed-process").mkdir()
    for visitor in Random(seed).sample(visitors, 2):
        alone = compare(driver, SampleRequest(size=1, salt="", visitors=(visitor,)))
        assert alone.sample.visitors == (visitor,)
        assert not problems(alone), (visitor, past.describe())
    assert not list(tmp_path.glob(".recomputed-*"))


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> ThinDriver:
    """All four sources, run in one go."""
    past = history(482)
    driver = ThinDriver(tmp_path_factory.mktemp("settled"), past.settings)
    driver.land(past.final_rows())
    driver.run(past.dates[0], past.dates[-1])
    return driver


def execute(driver: ThinDriver, *statements: str) -> None:
    with driver.warehouse.connect() as connection, connection.transaction():
        for statement in statements:
            connection.execute(statement)


def rows_to_corrupt(driver: ThinDriver, table: KeyedTable) -> list[dict[str, Any]]:
    """Three rows of a table, with their place in it."""
    with driver.warehouse.connect() as connection:
        sql = f"select rowid, * from {table.relation} order by hash({table.key[-1]}), hash({table.key[0]}) limit 3"
        return connection.query(sql).to_pylist()


def column_to_corrupt(table: KeyedTable, row: dict[str, Any]) -> str:
    """The last column that is not null in the row, and does not say which row it is and whose."""
    says_which = {"rowid", *table.key, table.entity, table.date}
    *_, column = (name for name, value in row.items() if value is not None and name not in says_which)
    return column


def another(value: Any) -> str:
    """SQL for another value of the same type."""
    if isinstance(value, list | dict):
        return "null"
    if isinstance(value, date):
        step = timedelta(microseconds=1) if isinstance(value, datetime) else timedelta(days=1)
        return f"'{value + step}'"
    return "'another'" if isinstance(value, str) else f"{value + 1}"


def test_wrong_rows_in_each_table_are_found_named_and_mended_by_the_days_given(settled: ThinDriver) -> None:
    tables = [
        table
        for table in tables_of(settled)
        if table.unique_id.startswith("model.") and table.name not in VIEWS and table.schema != "analytics"
    ]
    assert len(tables) == 11
    expected: dict[str, list[tuple[str, dict[str, Any], str | None, Any]]] = {}
    for table in tables:
        altered, deleted, doubled = rows_to_corrupt(settled, table)
        column = column_to_corrupt(table, altered)
        value = another(altered[column])
        execute(
            settled,
            f'update {table.relation} set "{column}" = {value} where rowid = {altered["rowid"]}',
            f"insert into {table.relation} select * from {table.relation} where rowid = {doubled['rowid']}",
            f"delete from {table.relation} where rowid = {deleted['rowid']}",
        )
        wrong = (("value", altered, column), ("missing", deleted, None), ("surplus", doubled, None))
        expected[table.unique_id] = [
            (what, {name: row[name] for name in table.key}, name, row[name] if name else None)
            for what, row, name in wrong
        ]
    comparison = compare(settled)
    for table in tables:
        result = comparison.tables[table.unique_id]
        assert result.rows == 3, (table.relation, problems(comparison))
        found = [(one.what, one.key, one.column, one.recomputed) for one in result.differences]
        assert sorted(found, key=str) == sorted(expected[table.unique_id], key=str)
        assert all(one.stored != one.recomputed for one in result.differences if one.what == "value")
        assert result.dates
    for day in sorted({day for table in comparison.tables.values() for day in table.dates}):
        settled.run(day, day)
    assert not problems(compare(settled))


def test_a_wrong_alias_is_found_in_the_graph_and_in_what_shows_it(settled: ThinDriver) -> None:
    with settled.warehouse.connect() as connection:
        (row,) = connection.query("""
            select alias, dbt_visitor_id from core.identity_graph where alias <> dbt_visitor_id order by alias limit 1""").to_pylist()
    set_visitor = f"update core.identity_graph set dbt_visitor_id = %s where alias = '{row['alias']}'"
    execute(settled, set_visitor % "alias")
    try:
        comparison = compare(settled)
    finally:
        execute(settled, set_visitor % f"'{row['dbt_visitor_id']}'")
    wrong = {name: table for name, table in comparison.tables.items() if table.rows}
    assert {name.split(".")[-1] for name in wrong} == {"identity_graph", "dbt_aliases_mapping"}
    for table in wrong.values():
        assert [str(found) for found in table.differences] == [
            f"alias = {row['alias']}: dbt_visitor_id is {row['alias']}, recomputed {row['dbt_visitor_id']}"
        ]


def test_raw_rows_of_days_that_wait_for_their_run_are_pending_and_no_difference(settled: ThinDriver) -> None:
    """A login that comes late, and one that is gone: they give a device to somebody else and move sessions, once they are run."""
    rows = history(482).final_rows()
    with settled.warehouse.connect() as connection:
        events = connection.query("""
            select event_id, event_date, anonymous_id, timestamp from core.events
            where source = 'rudderstack' and anonymous_id is not null and event_type = 'track' and user_id is not null""").to_pylist()
    gone, other = events[0], events[-1]
    device, at = other["anonymous_id"], other["timestamp"]
    late = RawRow("tracks", "late", anonymous_id=device, user_id="late user", timestamp=at, event="seen")
    settled.land([late, *(row for row in rows if row.id != gone["event_id"].removeprefix("rudderstack:"))])
    try:
        comparison = compare(settled)
        assert not problems(comparison)
        assert set(comparison.pending) >= {gone["event_date"], other["event_date"]}
    finally:
        settled.land(rows)
    assert not compare(settled).pending


def test_a_run_of_chosen_tables_is_compared_without_the_rejected_events(settled: ThinDriver) -> None:
    with settled.warehouse.connect() as connection:
        (view,) = connection.query(
            "select sql from duckdb_views() where schema_name = 'core' and view_name = 'rejected_events'"
        ).to_pylist()
    execute(settled, "drop view core.rejected_events")
    try:
        assert not problems(compare(settled))
    finally:
        execute(settled, view["sql"])


def test_the_scratch_warehouse_is_removed_when_a_model_fails(
    settled: ThinDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        assert list(settled.warehouse.path.parent.glob(".recomputed-*"))
        raise DbtError("a model failed")

    monkeypatch.setattr(Engine, "build", fail)
    with pytest.raises(DbtError, match="a model failed"):
        compare(settled)
    assert not list(settled.warehouse.path.parent.glob(".recomputed-*"))
    with settled.warehouse.connect() as connection:
        assert connection.query("select count(*) as n from core.events").to_pylist()[0]["n"] > 0


def test_the_salt_decides_who_is_sampled(settled: ThinDriver) -> None:
    raw = RawData.of(settled.project.manifest, settled.tables, settled.settings.blocked_ids)

    def sampled(salt: str, place: str) -> tuple[str, ...]:
        path = settled.warehouse.path.with_name(f"{place}.duckdb")
        with settled.warehouse.read_beside(path, SCRATCH) as connection:
            return take_sample(connection, raw, SampleRequest(size=2, salt=salt)).visitors

    assert sampled("a", "first") == sampled("a", "again")
    assert len({sampled(str(salt), f"other{salt}") for salt in range(5)}) > 1
