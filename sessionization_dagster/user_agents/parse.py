"""One user agent's browser, system and device, and whether it is a bot, by the lists of ua-parser and crawlerdetect. Pure: no warehouse.

Millions of people have the same user agent, so each text is read once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import version

import ua_parser
from crawlerdetect import CrawlerDetect

PACKAGES = ("ua-parser", "ua-parser-builtins", "crawlerdetect")
#: Incremented when this module reads texts differently.
READING = "2"
#: No more of a text is read. Browsers write some 200 characters, and the time that the lists take grows with the square of the length.
READ_CHARACTERS = 1000
#: ua-parser's word for a crawler.
SPIDER = "Spider"
DESKTOPS = (
    "Windows",
    "Mac OS X",
    "Linux",
    "Ubuntu",
    "Fedora",
    "Debian",
    "Chrome OS",
    "FreeBSD",
    "OpenBSD",
    "NetBSD",
    "Solaris",
)
MOBILES = ("iOS", "Windows Phone", "BlackBerry OS", "Firefox OS", "KaiOS", "Symbian OS", "HarmonyOS", "Tizen", "Bada")
TABLET_WORDS = ("ipad", "tablet", "kindle", "silk/", "playbook", "nexus 7", "nexus 9", "nexus 10", "sm-t", "sm-x")
TELEVISION_WORDS = (
    "smart-tv", "smarttv", "smart tv", "googletv", "google tv", "appletv", "apple tv", "hbbtv", "netcast", "web0s", "webos.tv",
    "bravia", "roku", "crkey", "aftt", "aftm", "afts", "viera", "android tv",
)  # fmt: skip
CONSOLE_WORDS = ("playstation", "xbox", "nintendo")


@dataclass(frozen=True)
class UserAgent:
    """The content of a user agent.

    Attributes:
        browser, os: families, such as Chrome or Mac OS X; None: unknown.
        device_type: desktop, mobile, tablet, tv, console, bot, or other if it is unknown.
        is_bot: whether it is a crawler, a monitor or another program.
    """

    browser: str | None
    os: str | None
    device_type: str
    is_bot: bool


def parse(text: str) -> UserAgent:
    """Read one user agent."""
    text = text[:READ_CHARACTERS]
    found = ua_parser.parse(text)
    os = found.os.family if found.os else None
    is_spider = found.device is not None and found.device.family == SPIDER
    is_bot = is_spider or _is_crawler(text)
    return UserAgent(
        browser=found.user_agent.family if found.user_agent else None,
        os=os,
        device_type="bot" if is_bot else _device_type(text.lower(), os),
        is_bot=is_bot,
    )


def parser() -> str:
    """The version of everything that reads texts. Rows of another version are read again."""
    return ", ".join([f"reading {READING}", *(f"{package} {version(package)}" for package in PACKAGES)])


def _is_crawler(text: str) -> bool:
    return bool(_crawlers().isCrawler(text))


@cache
def _crawlers() -> CrawlerDetect:
    return CrawlerDetect()


def _device_type(text: str, os: str | None) -> str:
    if any(word in text for word in TELEVISION_WORDS):
        return "tv"
    if any(word in text for word in CONSOLE_WORDS):
        return "console"
    if any(word in text for word in TABLET_WORDS):
        return "tablet"
    if os == "Android":
        # Browsers on tablets leave the word out. Apps name no kind of device.
        return "mobile" if "mobile" in text or "dalvik" in text else "tablet"
    if os in MOBILES or "mobi" in text:
        return "mobile"
    return "desktop" if os in DESKTOPS else "other"
