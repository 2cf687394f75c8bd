"""What user agents say."""

from __future__ import annotations

import pytest

from sessionization_dagster.user_agents.parse import UserAgent, parse, parser

APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
CASES = {
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/120.0.0.0 Safari/537.36": ("Chrome", "Windows", "desktop", False),
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14.1; rv:120.0) Gecko/20100101 Firefox/120.0": ("Firefox", "Mac OS X", "desktop", False),
    f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {WEBKIT} Chrome/119.0.0.0 Safari/537.36": ("Chrome", "Chrome OS", "desktop", False),
    f"Mozilla/5.0 (Linux; Android 14; Pixel 8) {WEBKIT} Chrome/120.0.0.0 Mobile Safari/537.36": (
        "Chrome Mobile", "Android", "mobile", False,
    ),
    f"Mozilla/5.0 (Linux; Android 13; SM-X700) {WEBKIT} Chrome/120.0.0.0 Safari/537.36": ("Chrome", "Android", "tablet", False),
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) {APPLE} Version/17.2 Mobile/15E148 Safari/604.1": (
        "Mobile Safari", "iOS", "mobile", False,
    ),
    f"Mozilla/5.0 (iPad; CPU OS 17_2 like Mac OS X) {APPLE} Version/17.2 Mobile/15E148 Safari/604.1": (
        "Mobile Safari", "iOS", "tablet", False,
    ),
    "Dalvik/2.1.0 (Linux; U; Android 14; Pixel 7)": ("Android", "Android", "mobile", False),
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)": ("Googlebot", None, "bot", True),
    "curl/8.4.0": ("curl", None, "bot", True),
    "of our own": (None, None, "other", False),
}  # fmt: skip


@pytest.mark.parametrize("text", CASES)
def test_a_user_agent_is_read(text: str) -> None:
    assert parse(text) == UserAgent(*CASES[text])


def test_no_more_than_the_beginning_of_a_long_text_is_read() -> None:
    """The lists would take a minute for this one."""
    assert parse("curl/8.4.0 " + "a" * 1_000_000) == UserAgent("curl", None, "bot", True)


def test_the_parser_names_the_versions_of_its_lists() -> None:
    assert all(name in parser() for name in ("ua-parser ", "ua-parser-builtins ", "crawlerdetect "))
