"""The parts of a url, the touch of an event and the channel group of a touch against results by hand."""

from dataclasses import fields
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from .inputs import Event, Settings
from .seeds import Seeds, read_seeds
from .touches import Touch, channel_group, decoded, event_touch, host, parameter, path, query, site, source_type

SHOP = "https://shop.example/"
SEEDS = Seeds()


def event(**columns: str | None) -> Event:
    """An event with these columns."""
    empty: dict[str, Any] = {field.name: None for field in fields(Event)}
    given: dict[str, Any] = {
        "event_id": "e",
        "timestamp": datetime(2024, 3, 10),
        "event_date": date(2024, 3, 10),
        "properties": (),
    }
    return Event(**{**empty, **given, **columns})


def touch(url: str | None = SHOP, own_domains: tuple[str, ...] = (), **columns: str | None) -> tuple[Any, ...] | None:
    """The touch of an event, without nulls at its end."""
    found = event_touch(event(url=url, **columns), Settings(own_domains=own_domains))
    if found is None:
        return None
    values = list(found)
    while values[-1] is None:
        values.pop()
    return tuple(values)


def touch_of(query: str) -> tuple[Any, ...] | None:
    """The touch of a url with this query."""
    return touch(f"{SHOP}?{query}")


# Urls.


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://shop.example", "shop.example"),
        ("HTTP://WWW.Shop.Example:8080/Cart?x#y", "www.shop.example"),
        ("https://me:secret@host@shop.example:443", "shop.example"),
        ("https://shop.example?x=@y", "shop.example"),
        ("https://shop.example#/a", "shop.example"),
        ("https://[::1]:80/", "[::1]"),
        ("https://shop.example:", "shop.example"),
        ("https:///path", None),
        ("ftp://shop.example/", None),
        ("//shop.example/", None),
        (" https://shop.example/", None),
        ("android-app://com.example/", None),
        (None, None),
    ],
)
def test_host(url: str | None, expected: str | None) -> None:
    """Of http and https only, lower case, without user and port."""
    assert host(url) == expected


def test_a_site_is_a_host_without_www() -> None:
    """At its start, once."""
    assert [site(f"https://{name}/") for name in ("www.a.example", "a.www.example", "www.www.b", "wwwa.b")] == [
        "a.example",
        "a.www.example",
        "www.b",
        "wwwa.b",
    ]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"url": "https://a.b/c?x=1&y#z?w"}, "x=1&y"),
        ({"url": "https://a.b/c?x=1?y=2"}, "x=1?y=2"),
        ({"url": "https://a.b/?", "search": "?x=1"}, ""),
        ({"url": "https://a.b/c", "search": "?x=1"}, "x=1"),
        ({"url": "https://a.b/c", "search": "x=1"}, "x=1"),
        ({"url": None, "search": "??x=1"}, "?x=1"),
        ({"url": "app:home?x=1"}, "x=1"),
        ({"url": "https://a.b/#/c?x=1"}, ""),
        ({"url": "https://a.b/?x=1#/c?y=1"}, "x=1"),
        ({"url": "https://a.b/#/c?x=1", "search": "?y=1"}, "y=1"),
        ({"url": "https://a.b/c"}, ""),
    ],
)
def test_query(columns: dict[str, Any], expected: str) -> None:
    """What is between the url's first question mark and its fragment; the column `search` only where the url has no query."""
    assert query(event(**columns)) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("spring+sale", "spring sale"),
        ("a%2Bb", "a+b"),
        ("M%C3%BCller", "Müller"),
        ("%e2%82%ac5", "€5"),
        ("%F0%9F%98%80", "😀"),
        ("100%", "100%"),
        ("%4", "%4"),
        ("%zz%41", "%zzA"),
        ("%E4", "%E4"),
        ("%41%E4%42", "%41%E4%42"),
        ("%C3x%BC", "%C3x%BC"),
        ("%C0%AF", "%C0%AF"),
        ("%ED%A0%80", "%ED%A0%80"),
        ("+%20a+b%20", "  a b "),
        ("%2541", "%41"),
        ("ü%C3%BC", "üü"),
    ],
)
def test_decoded(written: str, expected: str) -> None:
    """Once, as UTF-8; a run of sequences that is not UTF-8 stays whole."""
    assert decoded(written) == expected


def test_the_first_value_that_is_not_blank_counts() -> None:
    """Names are compared as they are written; what follows the first equals sign is the value."""
    asked = "utm_source&utm_source=&UTM_SOURCE=a&utm%5Fsource=b&utm_source=+%20&utm_source=c=d&utm_source=e"
    assert parameter(asked, "utm_source") == "c=d"
    assert parameter(asked, "utm_medium") is None
    assert parameter("a;utm_source=x", "utm_source") is None


def test_path() -> None:
    """The column, else that of an http url."""
    urls = ("https://a.b", "https://a.b?x", "https://a.b#x", "https://a.b/c/d?e/f#g", "app://home/x", None)
    assert [path(event(url=url)) for url in urls] == ["/", "/", "/", "/c/d", None, None]
    assert path(event(url="https://a.b/c", path="/d")) == "/d"


# Touches.


def test_a_campaign_comes_before_a_click_id_and_a_click_id_before_a_referrer() -> None:
    """Whatever else the event has."""
    google = "https://www.google.com/"
    assert touch(f"{SHOP}?gclid=1&utm_source=news", referrer=google) == ("news", "(not set)")
    assert touch(f"{SHOP}?gclid=1&utm_term=shoes", referrer=google) == ("google", "cpc")
    assert touch(f"{SHOP}?gclid=&utm_source=+", referrer=google) == ("google", "organic")
    assert touch(f"{SHOP}?utm_content=a&utm_term=b") is None


def test_any_of_source_medium_and_campaign_makes_a_touch() -> None:
    """The others of them are not set, but for the campaign."""
    assert touch_of("utm_source=a") == ("a", "(not set)")
    assert touch_of("utm_medium=b") == ("(not set)", "b")
    assert touch_of("utm_campaign=c") == ("(not set)", "(not set)", "c")
    whole = "utm_term=e&utm_content=d&utm_campaign=c&utm_medium=b&utm_source=A%20a"
    assert touch_of(whole) == ("A a", "b", "c", "d", "e")


def test_each_campaign_column_comes_before_its_parameter() -> None:
    """A column is not decoded and not trimmed."""
    url = f"{SHOP}?utm_source=a&utm_medium=b&utm_campaign=c"
    assert touch(url, utm_source=" x%20+", utm_term="t") == (" x%20+", "b", "c", None, "t")


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("gclid=1", ("google", "cpc")),
        ("gbraid=1", ("google", "cpc")),
        ("wbraid=1", ("google", "cpc")),
        ("msclkid=1", ("bing", "cpc")),
        ("dclid=1", ("google", "display")),
        ("ttclid=1", ("tiktok", "paid")),
        ("twclid=1", ("twitter", "paid")),
        ("li_fat_id=1", ("linkedin", "paid")),
        ("fbclid=1", ("facebook.com", "referral")),
        ("fbclid=1&msclkid=2&dclid=3", ("bing", "cpc")),
        ("fbclid=1&gclid", ("facebook.com", "referral")),
        ("GCLID=1", None),
    ],
)
def test_click_ids(parameters: str, expected: tuple[Any, ...] | None) -> None:
    """The first of the seed counts, not the first of the url."""
    assert touch_of(parameters) == expected


def test_a_click_id_may_be_in_the_column_search() -> None:
    """Where the url has no query."""
    assert touch(search="?gclid=1") == ("google", "cpc")


@pytest.mark.parametrize(
    ("referrer", "expected"),
    [
        ("https://www.google.com/", ("google", "organic")),
        ("http://GOOGLE.com:80?q=shoes", ("google", "organic")),
        ("https://news.google.com/", ("news.google.com", "referral")),
        ("https://l.facebook.com/l.php", ("facebook.com", "referral")),
        ("https://m.facebook.com/", ("facebook.com", "referral")),
        ("https://www.youtube.com/", ("youtube.com", "referral")),
        ("https://chatgpt.com/", ("chatgpt.com", "referral")),
        ("https://www.blog.example/post", ("blog.example", "referral")),
        ("https://m.shop.example/", ("m.shop.example", "referral")),
        ("https://shop.example/cart", None),
        ("https://www.shop.example/", None),
        ("https://www.paypal.com/pay", None),
        ("https://checkout.paypal.com/", None),
        ("https://notpaypal.com/", ("notpaypal.com", "referral")),
        ("https://paypal.com.example/", ("paypal.com.example", "referral")),
        ("https://partner.example/", None),
        ("https://a.b.partner.example/", None),
        ("https://apartner.example/", ("apartner.example", "referral")),
        ("android-app://com.google.android.gm/", None),
        ("google.com", None),
        (None, None),
    ],
)
def test_referrers(referrer: str | None, expected: tuple[Any, ...] | None) -> None:
    """Of the web, of another site, and not ignored."""
    assert touch(referrer=referrer, own_domains=("partner.example",)) == expected


def test_the_own_site_is_that_of_the_page() -> None:
    """`www.` does not count on either side; a page without a host has no site."""
    assert touch("https://www.shop.example/a", referrer=SHOP) is None
    assert touch("https://m.shop.example/a", referrer=SHOP) == ("shop.example", "referral")
    assert touch(None, referrer=SHOP) == ("shop.example", "referral")
    assert touch("app://shop.example/", referrer=SHOP) == ("shop.example", "referral")


# Channel groups.


def test_the_type_of_a_source() -> None:
    """By host, else by source, without regard to the source's case."""
    seeds = Seeds(
        referrer_hosts=(("b.example", "engine", "video"), ("a.example", "engine", "search"), ("engine", "x", "ai"))
    )
    assert source_type("A.example", seeds) == "search"
    assert source_type("Engine", seeds) == "ai"
    assert source_type("engine", Seeds(referrer_hosts=seeds.referrer_hosts[:2])) == "search"
    assert source_type("other", seeds) is None


@pytest.mark.parametrize(
    ("source", "medium", "campaign", "expected"),
    [
        ("(direct)", "(none)", None, "Direct"),
        ("(direct)", "(not set)", None, "Direct"),
        ("(direct)", "cpc", None, "Paid Other"),
        ("google", "cpc", "My Cross-Network one", "Cross-network"),
        ("amazon.com", "cpc", None, "Paid Shopping"),
        ("other", "retargeting", "spring_shop", "Paid Shopping"),
        ("other", "ppc", "Shopping spree", "Paid Shopping"),
        ("other", "ppc", "workshop", "Paid Other"),
        ("other", "ppc", "eshop", "Paid Shopping"),
        ("Google", "CPC", None, "Paid Search"),
        ("bing", "cpm", None, "Paid Search"),
        ("m.facebook.com", "paid social", None, "Paid Social"),
        ("youtube.com", "PPC", None, "Paid Video"),
        *(("other", medium, None, "Display") for medium in ("display", "Banner", "expandable", "interstitial", "cpm")),
        ("other", "cpc", None, "Paid Other"),
        ("other", "retargeting", None, "Paid Other"),
        ("other", "xppc", None, "Unassigned"),
        ("amazon.com", "referral", None, "Organic Shopping"),
        ("other", "odd", "shop", "Organic Shopping"),
        ("facebook.com", "referral", None, "Organic Social"),
        ("other", "Social Network", None, "Organic Social"),
        ("other", "sm", None, "Organic Social"),
        ("youtube.com", "referral", None, "Organic Video"),
        ("other", "a video ad", None, "Organic Video"),
        ("google", "(not set)", None, "Organic Search"),
        ("other", "organic", None, "Organic Search"),
        ("chatgpt.com", "referral", None, "AI Assistant"),
        ("ChatGPT.com", "(not set)", None, "AI Assistant"),
        ("mail.google.com", "referral", None, "Email"),
        *(("other", medium, None, "Referral") for medium in ("referral", "app", "link")),
        ("e_mail", "odd", None, "Email"),
        ("other", "E Mail", None, "Email"),
        ("email", "referral", None, "Referral"),
        ("other", "affiliate", None, "Affiliates"),
        ("other", "audio", None, "Audio"),
        ("sms", "odd", None, "SMS"),
        ("other", "sms", None, "SMS"),
        ("other", "webpush", None, "Mobile Push Notifications"),
        ("other", "a Mobile thing", None, "Mobile Push Notifications"),
        ("other", "notifications", None, "Mobile Push Notifications"),
        ("firebase", "odd", None, "Mobile Push Notifications"),
        ("other", "pushed", None, "Unassigned"),
        ("newsletter", "(not set)", None, "Unassigned"),
    ],
)
def test_ga4s_channel_groups(source: str, medium: str, campaign: str | None, expected: str) -> None:
    """Each of Google's rules, in its place."""
    assert channel_group(Touch(source, medium, campaign), SEEDS) == expected


def test_the_first_rule_by_its_order_wins() -> None:
    """A pattern matches the whole value; an empty one matches anything, a missing value is the empty text."""
    rules = ((9, "nine", "", "", "", ""), (2, "two", "", "a|ab", "", ""), (1, "one", "x?", "", "b", "C.*|"))
    seeds = Seeds(channel_rules=rules, referrer_hosts=())
    assert channel_group(Touch("ab", "b"), seeds) == "one"
    assert channel_group(Touch("ab", "b", "d"), seeds) == "two"
    assert channel_group(Touch("AB", "bb", "c"), seeds) == "two"
    assert channel_group(Touch("abc", "c"), seeds) == "nine"


def test_seeds_are_read_from_files(tmp_path: Path) -> None:
    """Numbers are numbers, an empty field is an empty text."""
    files = {
        "click_ids": "priority,parameter,source,medium\n1,gclid,google,cpc\n",
        "referrer_hosts": "host,source,type\ngoogle.com,google,search\n",
        "ignored_referrers": "host\npaypal.com\n",
        "channel_rules": (
            "rule_order,channel_group,type_pattern,source_pattern,medium_pattern,campaign_pattern\n"
            '1,Direct,,\\(direct\\),"a,b",\n'
        ),
        "conversions": "conversion_name,event,value_property\nsale,purchase,\n",
        "internal_traffic": "column_name,pattern\nurl,localhost\n",
    }
    for name, content in files.items():
        (tmp_path / f"{name}.csv").write_text(content)
    assert read_seeds(tmp_path) == Seeds(
        click_ids=((1, "gclid", "google", "cpc"),),
        referrer_hosts=(("google.com", "google", "search"),),
        ignored_referrers=("paypal.com",),
        channel_rules=((1, "Direct", "", r"\(direct\)", "a,b", ""),),
        conversions=(("sale", "purchase", ""),),
        internal_traffic=(("url", "localhost"),),
    )
