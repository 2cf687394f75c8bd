"""The page in a browser: it asks no host, says nothing on the console, is drawn in both themes and any width, and needs no mouse."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from sessionization_dagster.report.page import build_page
from sessionization_dagster.report.queries import TABLES
from tests.report.reading import Report
from tests.report.tables import DAYS, HOSTILE, Tables, answers_of, random_tables

CHROMIUM = Path("/usr/bin/chromium")
OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
           "--disable-component-update", "--disable-sync"]  # fmt: skip

pytestmark = pytest.mark.skipif(
    not CHROMIUM.exists() and not os.environ.get("CI"), reason=f"{CHROMIUM} is missing: apt-get install chromium"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("report") / "report.html"
    answers = answers_of(random_tables(0))
    file.write_text(build_page(answers, DAYS, "UTC", "run", datetime(2024, 3, 21)).html, encoding="utf-8")
    return file


@dataclass
class Opened:
    """A page and what it said and asked for."""

    page: Page
    requests: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    def must_be_quiet(self, path: Path) -> None:
        assert self.requests == [path.as_uri()]
        assert self.messages == []


def opened(browser: Browser, path: Path, width: int = 1280, **options: Any) -> Opened:
    """The page in a context of its own, offline, drawn."""
    context = browser.new_context(offline=True, viewport={"width": width, "height": 900}, **options)
    seen = Opened(context.new_page())
    seen.page.on("request", lambda request: seen.requests.append(request.url))
    seen.page.on("console", lambda message: seen.messages.append(message.text))
    seen.page.on("pageerror", lambda error: seen.messages.append(str(error)))
    seen.page.goto(path.as_uri())
    seen.page.wait_for_selector("html[data-drawn], #failed:not([hidden])", timeout=120_000)
    return seen


def color(page: Page, selector: str, name: str = "background-color") -> str:
    value: str = page.evaluate(f"getComputedStyle(document.querySelector('{selector}')).getPropertyValue('{name}')")
    return value


def brightness(text: str) -> float:
    return sum(float(part) for part in text[text.index("(") + 1 : -1].split(",")[:3]) / 3


def test_every_chart_is_drawn_and_no_host_is_asked(browser: Browser, path: Path) -> None:
    seen = opened(browser, path)
    drawn = seen.page.evaluate(
        "[...document.querySelectorAll('[data-chart]')].map(place => place.querySelectorAll('svg [role=graphics-symbol]').length)"
    )
    assert len(drawn) == 15
    assert all(marks > 0 for marks in drawn), drawn
    assert seen.page.evaluate("window.broken") is None
    seen.must_be_quiet(path)
    seen.page.context.close()


def test_a_tooltip_shows_hostile_names_as_text(browser: Browser, path: Path) -> None:
    seen = opened(browser, path)
    bars = seen.page.locator("#traffic-2 .mark-rect path")
    shown = set()
    for place in range(bars.count()):
        bars.nth(place).scroll_into_view_if_needed()
        bars.nth(place).hover()
        tooltip = seen.page.locator("#vg-tooltip-element.visible")
        shown.add(tooltip.locator("td.value").first.text_content())
        assert tooltip.locator("img, script, b, a").count() == 0
    assert shown >= {name for name in HOSTILE if "\u2028" not in name}
    assert seen.page.evaluate("window.broken") is None
    seen.must_be_quiet(path)
    seen.page.context.close()


def test_a_tooltip_shows_the_day_and_its_numbers_as_the_table_does(browser: Browser, path: Path) -> None:
    """Every day has its own, also where the reader's clock is hours away."""
    seen = opened(browser, path, timezone_id="America/Los_Angeles")
    report = Report(path.read_text(encoding="utf-8"))
    shown = {}
    rules = seen.page.locator("#activity-1 [aria-roledescription='rule mark']")
    for place in range(rules.count()):
        rules.nth(place).hover(force=True)
        cells = seen.page.locator("#vg-tooltip-element.visible td.value").all_text_contents()
        shown[cells[0]] = tuple(int(cell.replace(",", "")) for cell in cells[1:])
    assert shown == report.numbers("activity-1")
    numbers = report.numbers("quality-1", keys=2)
    bars = seen.page.locator("#quality-1 [aria-roledescription='bar']")
    seen.page.locator("#quality-1").evaluate("figure => figure.scrollIntoView({block: 'center'})")
    compared = 0
    for place in range(0, bars.count(), 9):
        box = bars.nth(place).bounding_box()
        # The first and the last day have a bar of no height, which only the axis needs.
        if box is None or box["height"] < 2:
            continue
        seen.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        # A tooltip goes when the pointer leaves its bar, and comes as it moves on the next.
        seen.page.mouse.move(box["x"] + box["width"] / 2 + 1, box["y"] + box["height"] / 2)
        day, source, events = seen.page.locator("#vg-tooltip-element.visible td.value").all_text_contents()
        assert numbers[day, source] == int(events)
        compared += 1
    assert compared > 10
    seen.must_be_quiet(path)
    seen.page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_follows_the_system_and_the_button(browser: Browser, path: Path, scheme: Any) -> None:
    seen = opened(browser, path, color_scheme=scheme)
    page = seen.page

    def is_dark() -> bool:
        paper, ink = brightness(color(page, "body")), brightness(color(page, "body", "color"))
        label = brightness(color(page, "#traffic-1 .role-axis-label text", "fill"))
        bar = brightness(color(page, "#traffic-1 .mark-rect path", "fill"))
        assert abs(paper - ink) > 150
        assert abs(paper - label) > 80
        assert abs(paper - bar) > 80
        return paper < ink

    assert is_dark() == (scheme == "dark")
    button = page.get_by_role("button", name="Dark theme", pressed=scheme == "dark")
    button.click()
    assert is_dark() == (scheme == "light")
    assert page.get_by_role("button", name="Dark theme", pressed=scheme == "light").is_visible()
    seen.must_be_quiet(path)
    page.context.close()


@pytest.mark.parametrize("width", [360, 768, 1280, 2560])
def test_nothing_is_cut_off_at_any_width(browser: Browser, path: Path, width: int) -> None:
    seen = opened(browser, path, width)
    page = seen.page
    page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    outside = page.evaluate(
        """[...document.querySelectorAll('.chart')].flatMap(chart => {
            const box = chart.getBoundingClientRect();
            return [...chart.querySelectorAll('svg text')].filter(text => {
                const at = text.getBoundingClientRect();
                return at.width && (at.left < box.left - 1 || at.right > box.right + 1);
            }).map(text => `${chart.dataset.chart}: ${text.textContent}`);
        })"""
    )
    assert outside == []
    seen.must_be_quiet(path)
    page.context.close()


def test_a_page_follows_its_window(browser: Browser, path: Path) -> None:
    seen = opened(browser, path, 1280)
    seen.page.set_viewport_size({"width": 400, "height": 900})
    seen.page.wait_for_function("document.querySelector('#traffic-1 svg').getBoundingClientRect().width < 400")
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 400
    seen.must_be_quiet(path)
    seen.page.context.close()


def test_the_keyboard_reaches_everything(browser: Browser, path: Path) -> None:
    seen = opened(browser, path)
    page = seen.page
    reached = []
    for _ in range(90):
        page.keyboard.press("Tab")
        element, outline, top = page.evaluate(
            """(() => { const it = document.activeElement, box = it.getBoundingClientRect();
            const name = it.id ? '#' + it.id : it.className ? '.' + it.className : '';
            return [it.tagName + name, getComputedStyle(it).outlineStyle, box.top] })()"""
        )
        if element == "BODY":
            break
        assert outline == "solid", f"{element} does not show that it has the focus"
        assert top >= 0, f"{element} has the focus out of sight"
        reached.append(element)
        if element == "SUMMARY":
            page.keyboard.press("Enter")
    assert reached[:2] == ["A.skip", "BUTTON#theme"]
    assert reached[2:8] == ["A"] * 6
    # Each table, once opened, is reached too: it scrolls.
    assert reached.count("SUMMARY") == page.locator("details").count() == 17
    assert reached.count("DIV.scroll") >= 16
    page.locator("#theme").focus()
    page.keyboard.press("Space")
    assert page.get_by_role("button", name="Dark theme", pressed=True).is_visible()
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    seen.must_be_quiet(path)
    page.context.close()


def test_every_chart_has_a_data_table_as_its_text(browser: Browser, path: Path) -> None:
    seen = opened(browser, path)
    for chart in seen.page.locator("[data-chart]").all():
        assert "data table below" in str(chart.get_attribute("aria-label"))
        assert chart.locator("xpath=..").locator("details table tbody tr").count() > 0
    seen.page.context.close()


def test_a_page_without_any_data_is_quiet(browser: Browser, tmp_path: Path) -> None:
    cases: dict[str, Tables] = {"empty": {table: [] for table in TABLES}, "missing": {}}
    for name, tables in cases.items():
        file = tmp_path / f"{name}.html"
        html = build_page(answers_of(tables), DAYS, "UTC", "run", datetime(2024, 3, 21)).html
        file.write_text(html, encoding="utf-8")
        seen = opened(browser, file, 360)
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= 360
        seen.must_be_quiet(file)
        seen.page.context.close()
