"""Where a visit comes from: the parts of a url, the touch of an event, and the channel group of a touch. Knows no sessions."""

import re
from dataclasses import replace
from typing import Any, NamedTuple

from .inputs import Event, Settings
from .seeds import Seeds

NOT_SET = "(not set)"
UNASSIGNED = "Unassigned"
TEXTS = (
    *("event", "url", "path", "title", "referrer", "search"),
    *("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"),
    *("country", "device", "os", "user_agent"),
)
HTTP = re.compile(r"https?://([^/?#]*)([^?#]*)", re.IGNORECASE)
PORT = re.compile(r":[0-9]*\Z")
ENCODED = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


class Touch(NamedTuple):
    """What brought somebody."""

    source: str
    medium: str
    campaign: str | None = None
    content: str | None = None
    term: str | None = None

    @property
    def is_direct(self) -> bool:
        """Whether nothing is known to have brought them."""
        return self.source.lower() == "(direct)" and self.medium.lower() in ("(none)", NOT_SET)


DIRECT = Touch("(direct)", "(none)")


def text(value: str | None) -> str | None:
    """The value, or None where it is empty or only blanks."""
    return value if value and value.strip(" ") else None


def without_blank_texts(event: Event) -> Event:
    """The event with None in place of blank texts."""
    texts: dict[str, Any] = {name: text(getattr(event, name)) for name in TEXTS}
    return replace(event, **texts)


# The parts of a url.


def host(url: str | None) -> str | None:
    """The host of an http or https url, lower case, without user and port."""
    found = HTTP.match(url or "")
    return found and (PORT.sub("", found[1].rpartition("@")[2]).lower() or None)


def site(url: str | None) -> str | None:
    """The host without `www.`, by which two pages are of one site."""
    name = host(url)
    return name and (name.removeprefix("www.") or None)


def query(event: Event) -> str:
    """The query of the event's url, or its column `search` where the url has none."""
    page = (event.url or "").partition("#")[0]
    if "?" in page:
        return page.partition("?")[2]
    return (event.search or "").removeprefix("?")


def decoded(value: str) -> str:
    """A value of a query as it was before it was encoded; what is no UTF-8 stays encoded."""

    def characters(run: re.Match[str]) -> str:
        try:
            return bytes.fromhex(run[0].replace("%", "")).decode()
        except UnicodeDecodeError:
            return run[0]

    return ENCODED.sub(characters, value.replace("+", " "))


def parameter(query: str, name: str) -> str | None:
    """The first value of a parameter that is not blank."""
    parts = [part.partition("=") for part in query.split("&")]
    return next((value for found, _, encoded in parts if found == name and (value := text(decoded(encoded)))), None)


def path(event: Event) -> str | None:
    """The path of the event's page."""
    found = HTTP.match(event.url or "")
    return event.path or (found and (found[2] or "/"))


# The touch of an event.


def campaign_touch(event: Event) -> Touch | None:
    """The touch of the utm values."""
    asked = query(event)
    names = ("source", "medium", "campaign", "content", "term")
    source, medium, campaign, content, term = (
        getattr(event, f"utm_{name}") or parameter(asked, f"utm_{name}") for name in names
    )
    if source is None and medium is None and campaign is None:
        return None
    return Touch(source or NOT_SET, medium or NOT_SET, campaign, content, term)


def click_touch(event: Event, seeds: Seeds) -> Touch | None:
    """The touch of the first click id in the url."""
    asked = query(event)
    found = (Touch(source, medium) for _, name, source, medium in sorted(seeds.click_ids) if parameter(asked, name))
    return next(found, None)


def is_within(name: str, domain: str) -> bool:
    """Whether a host is the domain or one of its subdomains."""
    return name == domain or name.endswith(f".{domain}")


def referrer_touch(event: Event, settings: Settings) -> Touch | None:
    """The touch of a page elsewhere that links here."""
    name = site(event.referrer)
    unwanted = (*settings.own_domains, *settings.seeds.ignored_referrers)
    if name is None or name == site(event.url) or any(is_within(name, domain) for domain in unwanted):
        return None
    for known, source, kind in settings.seeds.referrer_hosts:
        if known == name:
            return Touch(source, "organic" if kind == "search" else "referral")
    return Touch(name, "referral")


def event_touch(event: Event, settings: Settings) -> Touch | None:
    """The touch of an event, if it has one."""
    return campaign_touch(event) or click_touch(event, settings.seeds) or referrer_touch(event, settings)


# The channel group of a touch.


def source_type(source: str, seeds: Seeds) -> str | None:
    """The type of a source: that of the host of this name, else of the first host of this source."""
    name = source.lower()
    by_host = [kind for known, _, kind in seeds.referrer_hosts if known == name]
    by_source = [kind for _, known, kind in sorted(seeds.referrer_hosts) if known == name]
    return next(iter(by_host + by_source), None)


def channel_group(touch: Touch, seeds: Seeds) -> str:
    """The group of the first rule whose patterns all match."""
    values = (source_type(touch.source, seeds) or "", touch.source, touch.medium, touch.campaign or "")
    for _, group, *patterns in sorted(seeds.channel_rules):
        pairs = zip(patterns, values, strict=True)
        if all(not pattern or re.fullmatch(pattern, value, re.IGNORECASE) for pattern, value in pairs):
            return group
    return UNASSIGNED
