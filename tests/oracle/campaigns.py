"""Random urls, referrers, campaigns, user agents and values: what the analytics tables turn on. No order, no owners."""

from random import Random
from typing import Any

from .seeds import Seeds

OWN_DOMAIN = "partner.example"
SITES = ("https://shop.example", "https://www.shop.example", "HTTPS://Shop.Example:443", "https://me@m.shop.example")
STAFF = "http://localhost:3000"
PATHS = ("", "/", "/cart", "/cart", "/a/b")
FRAGMENTS = ("", "", "", "#top", "#/a?utm_source=late")
# As they are written in a query: encoded well, not at all, or broken.
SOURCES = (
    "google",
    "Google",
    "newsletter",
    "(direct)",
    "m%C3%BCller",
    "a+b",
    "100%",
    "%E4%41",
    "%2B1",
    "tiktok",
    "firebase",
)
MEDIUMS = (
    "cpc",
    "email",
    "organic",
    "social",
    "display",
    "Push",
    "affiliate",
    "video",
    "paid+social",
    "sms",
    "audio",
    "odd",
)
CAMPAIGNS = ("sale", "spring_shop", "x-Cross-Network", "%E2%82%AC5", "a%3Db", "%zz%20")
# Texts that are not parameters, or not yet.
STRAYS = (
    "x=1",
    "utm_source=",
    "utm_source=+",
    "utm_medium=%20",
    "UTM_SOURCE=loud",
    "utm_campaign",
    "gclid=",
    "",
    "a=b=c",
)
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/122.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:123.0) Gecko/20100101 Firefox/123.0",
    "Shop/3.1 (unheard of)",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
)
VALUES = (12.5, 3, 0.1, -5, 1e-7, True, None, "19.99", " 7 ", "1e2", "2.0000005", "-0.0000015", "1_000", "", "9e31")


def utm_parameters(rng: Random, seeds: Seeds) -> list[str]:
    """Some of a campaign's parameters, now and then one of them twice."""
    known = rng.choice(seeds.referrer_hosts)[1] if seeds.referrer_hosts else "google"
    values = {"source": (*SOURCES, known, known, known), "medium": MEDIUMS, "campaign": CAMPAIGNS}
    found = [f"utm_{name}={rng.choice(texts)}" for name, texts in values.items() if rng.random() < 0.7]
    found += [f"utm_{name}={rng.choice(CAMPAIGNS)}" for name in ("content", "term") if rng.random() < 0.2]
    return found + ([f"utm_source={rng.choice(SOURCES)}"] if rng.random() < 0.2 else [])


def random_query(rng: Random, seeds: Seeds) -> str:
    """The parameters of a page that a campaign, an advertisement, or nothing of the kind led to."""
    kind = rng.choices(("nothing", "campaign", "click", "both"), (8, 4, 3, 1))[0]
    parts = [rng.choice(STRAYS) for _ in range(rng.choice((0, 0, 1, 2)))]
    if kind in ("campaign", "both"):
        parts += utm_parameters(rng, seeds)
    if kind in ("click", "both"):
        parts += [f"{name}=c%2F1" for _, name, *_ in rng.sample(seeds.click_ids, min(2, len(seeds.click_ids)))]
        parts = parts[: rng.choice((-1, len(parts)))] or parts
    rng.shuffle(parts)
    return "&".join(parts)


def random_url(rng: Random, seeds: Seeds) -> str | None:
    """A page of the shop, or nothing."""
    if rng.random() < 0.25:
        return rng.choice((None, None, "app://home?utm_source=app"))
    asked = random_query(rng, seeds)
    site = STAFF if rng.random() < 0.02 else rng.choice(SITES)
    return f"{site}{rng.choice(PATHS)}{'?' if asked else ''}{asked}{rng.choice(FRAGMENTS)}"


def random_referrer(rng: Random, seeds: Seeds) -> str | None:
    """A page of the shop, of its partner, of a host that is known, ignored or heard of for the first time; or none."""
    kind = rng.choices(("none", "own", "known", "ignored", "unknown"), (8, 4, 5, 2, 2))[0]
    if kind == "own":
        return rng.choice(("https://shop.example/", "https://www.shop.example/x", f"https://blog.{OWN_DOMAIN}/"))
    if kind == "known" and seeds.referrer_hosts:
        kinds = sorted({kind for *_, kind in seeds.referrer_hosts})
        drawn = rng.choice(kinds)
        host = rng.choice([host for host, _, kind in seeds.referrer_hosts if kind == drawn])
        return rng.choice(
            (f"https://www.{host}/", f"http://{host.upper()}:80/?q=a", f"https://{host}", f"https://more.{host}/")
        )
    if kind == "ignored" and seeds.ignored_referrers:
        return f"https://{rng.choice(('', 'www.', 'checkout.'))}{rng.choice(seeds.ignored_referrers)}/pay"
    if kind == "unknown":
        return rng.choice(
            ("https://www.blog.example/post", "https://me@blog.example", "android-app://com.example/", "x")
        )
    return None


def random_campaign(rng: Random) -> dict[str, str | None]:
    """Values of the campaign columns, which are not encoded; mostly none."""
    if rng.random() < 0.85:
        return {}
    values = {"utm_source": ("google", "Ads & more", "a%20b"), "utm_medium": ("cpc", "e mail", "link")}
    others = dict.fromkeys(("utm_campaign", "utm_content", "utm_term"), ("Shop now", "x+y"))
    return {name: rng.choice((*texts, None)) for name, texts in {**values, **others}.items()}


def random_visit(rng: Random, seeds: Seeds) -> dict[str, Any]:
    """Values for all columns that say where an event comes from."""
    return {
        "url": random_url(rng, seeds),
        "referrer": random_referrer(rng, seeds),
        "path": rng.choice((None, None, None, "/cart")),
        "search": rng.choice((None, None, None, "?x=1,2", "utm_source=searched", "?gclid=s")),
        "title": rng.choices((None, "Shop", "Staging"), (6, 6, 1))[0],
        "user_agent": rng.choices((None, *AGENTS), (6, 4, 4, 4, 2, 1))[0],
        **random_campaign(rng),
    }


def random_value(rng: Random, seeds: Seeds) -> tuple[tuple[str, Any], ...]:
    """Properties that conversions take their values from."""
    names = sorted({key for *_, key in seeds.conversions if key})
    return tuple((name, rng.choice(VALUES)) for name in names if rng.random() < 0.7)
