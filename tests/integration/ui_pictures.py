"""Photographs a running UI for the documentation: `python -m tests.integration.ui_pictures http://127.0.0.1:3000 docs/images`."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.report.test_browser import CHROMIUM, OPTIONS

ASSET = "assets/core/sessions"


def take(page: Page, site: str, folder: Path) -> None:
    """The graph of all groups, an asset's overview with its plots, and its checks."""
    page.set_viewport_size({"width": 1600, "height": 700})
    page.goto(f"{site}/asset-groups")
    # The navigation takes width that the graph needs.
    page.get_by_role("button", name="Hide navigation").click()
    page.locator("foreignObject").get_by_text("monitoring", exact=True).first.wait_for()
    settled(page)
    page.screenshot(path=folder / "lineage.png")

    page.goto(f"{site}/{ASSET}")
    page.get_by_text("partition_sessions", exact=True).first.wait_for()
    page.set_viewport_size({"width": 1600, "height": 1500})
    settled(page)
    page.screenshot(path=folder / "asset.png")

    page.set_viewport_size({"width": 1600, "height": 560})
    page.goto(f"{site}/assets/raw/rudderstack_tracks?view=checks")
    page.get_by_text("Succeeded").first.wait_for()
    settled(page)
    page.screenshot(path=folder / "checks.png")


def settled(page: Page) -> None:
    """Nothing shows when a picture has faded in or a graph has been moved to the middle."""
    page.mouse.move(800, 5)
    page.wait_for_timeout(4000)


def main(site: str, folder: Path) -> None:
    """Take all pictures of the UI at that address."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=OPTIONS)
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        page.set_default_timeout(60_000)
        take(page, site.rstrip("/"), folder)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
