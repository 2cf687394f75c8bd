"""Dagster's UI as a person uses it: the assets are found, materialised by clicks, and their pages show the outcome."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import dagster as dg
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, expect

from tests.integration.real_job import Project
from tests.integration.services import Services
from tests.integration.test_job import csv_project, first_rows
from tests.oracle.model import RawRow
from tests.report.test_browser import browser, pytestmark

__all__ = ["browser", "pytestmark"]

KEY = dg.AssetKey(["core", "sessions"])
DAYS = [date(2024, 3, day) for day in (9, 10, 11, 12)]
# A page asks the webserver a dozen times before it is complete, and a busy machine answers slowly.
PATIENCE_MS = 180_000


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Visitors of a single event each, more on the last day than on the first, beside the one long session of all days."""
    rows = [
        RawRow("tracks", f"v{day}-{number}", f"v{day}-{number}", timestamp=datetime(2024, 3, day.day, number), event="page")
        for at, day in enumerate(DAYS) for number in range(3 + at)
    ]  # fmt: skip
    with dg.DagsterInstance.ephemeral() as instance:
        project = csv_project(tmp_path / "project", instance)
        project.land("tracks/first", first_rows() + rows)
        yield project


@pytest.fixture
def services(tmp_path: Path, project: Project) -> Iterator[Services]:
    services = Services(tmp_path / "dagster", project.variables)
    services.start()
    try:
        yield services
    finally:
        services.stop()


@contextmanager
def looking_at(browser: Browser, picture: Path) -> Iterator[Page]:
    """A page; an assertion that fails on it leaves a picture of it and its console's errors."""
    context = browser.new_context(viewport={"width": 1600, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    errors: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        # Dagster's own libraries advertise and warn; what our metadata breaks is an error.
        if message.type == "error":
            errors.append(message.text)

    page.on("console", heard)
    page.on("pageerror", lambda error: errors.append(str(error)))
    try:
        yield page
        assert not errors, "\n".join(errors)
    except (AssertionError, Error) as error:
        page.screenshot(path=picture, full_page=True)
        shown = "\n".join([str(error), f"Page {page.url} then: {picture}", *errors])
        raise AssertionError(shown) from error
    finally:
        context.close()


def test_a_person_finds_materialises_and_reads_the_assets(
    tmp_path: Path, project: Project, services: Services, browser: Browser
) -> None:
    site = f"http://127.0.0.1:{services.port}"
    with looking_at(browser, tmp_path / "failed.png") as page:
        page.goto(f"{site}/asset-groups")
        the_graph_has_every_group(page, project)
        materialise_every_day(page)
        wait_for_backfill(services)
        page.goto(f"{site}/runs")
        expect(page.get_by_role("button", name=f"{len(DAYS)} partitions")).to_be_visible(timeout=PATIENCE_MS)
        expect(page.get_by_text("Success", exact=True)).to_be_visible(timeout=PATIENCE_MS)

        page.goto(f"{site}/assets/{'/'.join(KEY.path)}")
        the_overview_describes_the_table(page, project)
        page.get_by_role("tab", name="Partitions").click()
        expect(page.get_by_text(f"Materialized ({len(DAYS)})")).to_be_visible(timeout=PATIENCE_MS)
        page.get_by_role("tab", name="Checks").click()
        every_check_has_passed(page, project)


def the_graph_has_every_group(page: Page, project: Project) -> None:
    groups = {spec.group_name for spec in project.definitions.resolve_all_asset_specs()}
    assert len(groups) > 5
    for group in sorted(group for group in groups if group):
        node = page.locator("foreignObject").get_by_text(group, exact=True).first
        expect(node).to_be_visible(timeout=PATIENCE_MS)


def materialise_every_day(page: Page) -> None:
    page.get_by_role("button", name="Materialize all").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="All", exact=True).click()
    dialog.get_by_role("button", name="Launch backfill").click()
    expect(dialog).to_be_hidden(timeout=PATIENCE_MS)


def wait_for_backfill(services: Services) -> None:
    """The one backfill is over, and every run of it succeeded."""

    def ended() -> list[str]:
        statuses = [backfill.status.value for backfill in services.instance.get_backfills()]
        return [status for status in statuses if status.startswith(("COMPLETED", "FAILED", "CANCELED"))]

    assert services.wait_for("the backfill", ended) == ["COMPLETED_SUCCESS"]
    assert {run.status for run in services.runs()} == {dg.DagsterRunStatus.SUCCESS}


def the_overview_describes_the_table(page: Page, project: Project) -> None:
    """Its description as we wrote it; columns and counts as they are in the warehouse."""
    (spec,) = [spec for spec in project.definitions.resolve_all_asset_specs() if spec.key == KEY]
    assert spec.description
    sentence = spec.description.split("\n")[0]
    expect(page.get_by_text(sentence).first).to_be_visible(timeout=PATIENCE_MS)
    status = page.get_by_text("Latest materialization", exact=True).locator("xpath=..")
    expect(status).to_contain_text(str(DAYS[-1]), timeout=PATIENCE_MS)

    table = ".".join(KEY.path)
    (counts,) = project.query(
        f"select count(*) as total, count(*) filter (where session_start_date = '{DAYS[-1]}') as last_day from {table}"
    )
    assert counts["total"] > counts["last_day"] > 1
    row_count = page.get_by_text("Row count", exact=True).locator("xpath=..")
    expect(row_count).to_have_text(f"Row count{counts['total']}", timeout=PATIENCE_MS)
    for name in ("dagster/partition_row_count", "partition_sessions"):
        entry = page.get_by_role("row").filter(has=page.get_by_text(name, exact=True))
        expect(entry.get_by_role("cell").last).to_have_text(str(counts["last_day"]), timeout=PATIENCE_MS)
    for column in project.query(f"describe {table}"):
        row = page.get_by_role("row").filter(has=page.get_by_text(column["column_name"], exact=True)).first
        expect(row.get_by_role("cell").nth(1)).to_have_text(column["column_type"], timeout=PATIENCE_MS)


def every_check_has_passed(page: Page, project: Project) -> None:
    graph = project.definitions.resolve_asset_graph()
    names = sorted(key.name for key in graph.asset_check_keys if key.asset_key == KEY)
    assert names
    expect(page.get_by_text(f"Checks ({len(names)})")).to_be_visible(timeout=PATIENCE_MS)
    for name in names:
        entry = page.locator("span", has=page.get_by_title(name, exact=True)).last
        expect(entry).to_contain_text("Succeeded", timeout=PATIENCE_MS)
