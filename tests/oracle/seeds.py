"""The seeds of the analytics tables as data: a small set of our own, and the same read from a folder of CSV files. No rules."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# (priority, parameter, source, medium)
ClickId = tuple[int, str, str, str]
# (host, source, type)
ReferrerHost = tuple[str, str, str]
# (rule order, channel group, patterns on type, source, medium and campaign)
ChannelRule = tuple[int, str, str, str, str, str]
# (conversion name, event, value property)
Conversion = tuple[str, str, str]
# (column, pattern)
InternalTraffic = tuple[str, str]

CLICK_IDS: tuple[ClickId, ...] = (
    (1, "gclid", "google", "cpc"),
    (2, "gbraid", "google", "cpc"),
    (3, "wbraid", "google", "cpc"),
    (4, "msclkid", "bing", "cpc"),
    (5, "dclid", "google", "display"),
    (6, "ttclid", "tiktok", "paid"),
    (7, "twclid", "twitter", "paid"),
    (8, "li_fat_id", "linkedin", "paid"),
    (9, "fbclid", "facebook.com", "referral"),
)
REFERRER_HOSTS: tuple[ReferrerHost, ...] = (
    ("google.com", "google", "search"),
    ("bing.com", "bing", "search"),
    ("facebook.com", "facebook.com", "social"),
    ("l.facebook.com", "facebook.com", "social"),
    ("m.facebook.com", "facebook.com", "social"),
    # Names that no referrer has, but that click ids and campaigns give as their source.
    ("tiktok", "tiktok", "social"),
    ("twitter", "twitter", "social"),
    ("linkedin", "linkedin", "social"),
    ("youtube.com", "youtube.com", "video"),
    ("amazon.com", "amazon.com", "shopping"),
    ("mail.google.com", "mail.google.com", "email"),
    ("chatgpt.com", "chatgpt.com", "ai"),
    ("gemini.google.com", "gemini.google.com", "ai"),
)
IGNORED_REFERRERS = ("paypal.com", "accounts.google.com")

PAID = ".*cp.*|ppc|retargeting|paid.*"
SHOP = ".*(([^a-df-z]|^)shop|shopping).*"
EMAIL = "email|e-mail|e_mail|e mail"
SOCIAL = "social|social-network|social-media|sm|social network|social media"
# (channel group, type, source, medium, campaign): GA4's default channel groups, in the order in which Google lists them. The two groups
# that GA4 does not have come before Referral, which would otherwise take them.
GA4_RULES = (
    ("Direct", "", r"\(direct\)", r"\(not set\)|\(none\)", ""),
    ("Cross-network", "", "", "", ".*cross-network.*"),
    ("Paid Shopping", "shopping", "", PAID, ""),
    ("Paid Shopping", "", "", PAID, SHOP),
    ("Paid Search", "search", "", PAID, ""),
    ("Paid Social", "social", "", PAID, ""),
    ("Paid Video", "video", "", PAID, ""),
    ("Display", "", "", "display|banner|expandable|interstitial|cpm", ""),
    ("Paid Other", "", "", PAID, ""),
    ("Organic Shopping", "shopping", "", "", ""),
    ("Organic Shopping", "", "", "", SHOP),
    ("Organic Social", "social", "", "", ""),
    ("Organic Social", "", "", SOCIAL, ""),
    ("Organic Video", "video", "", "", ""),
    ("Organic Video", "", "", ".*video.*", ""),
    ("Organic Search", "search", "", "", ""),
    ("Organic Search", "", "", "organic", ""),
    ("AI Assistant", "ai", "", "", ""),
    ("Email", "email", "", "", ""),
    ("Referral", "", "", "referral|app|link", ""),
    ("Email", "", EMAIL, "", ""),
    ("Email", "", "", EMAIL, ""),
    ("Affiliates", "", "", "affiliate", ""),
    ("Audio", "", "", "audio", ""),
    ("SMS", "", "sms", "", ""),
    ("SMS", "", "", "sms", ""),
    ("Mobile Push Notifications", "", "", ".*push|.*(mobile|notification).*", ""),
    ("Mobile Push Notifications", "", "firebase", "", ""),
)
CHANNEL_RULES: tuple[ChannelRule, ...] = tuple((order, *rule) for order, rule in enumerate(GA4_RULES, start=1))
CONVERSIONS: tuple[Conversion, ...] = (
    ("purchase", "purchase", "revenue"),
    ("sign-up", "signup", ""),
    ("lead", "signup", "lead_value"),
)
INTERNAL_TRAFFIC: tuple[InternalTraffic, ...] = (
    ("url", r"^https?://(localhost|127\.0\.0\.1)([:/?#]|$)"),
    ("title", "staging"),
)


@dataclass(frozen=True)
class Seeds:
    """The rows of the six seeds, each a tuple of the seed's columns in order; an ignored referrer is a host alone."""

    click_ids: tuple[ClickId, ...] = CLICK_IDS
    referrer_hosts: tuple[ReferrerHost, ...] = REFERRER_HOSTS
    ignored_referrers: tuple[str, ...] = IGNORED_REFERRERS
    channel_rules: tuple[ChannelRule, ...] = CHANNEL_RULES
    conversions: tuple[Conversion, ...] = CONVERSIONS
    internal_traffic: tuple[InternalTraffic, ...] = INTERNAL_TRAFFIC


def read_seeds(folder: Path) -> Seeds:
    """The seeds of a folder with one CSV file each."""

    def rows(name: str, *columns: str) -> tuple[Any, ...]:
        with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            return tuple(tuple(line[column] or "" for column in columns) for line in csv.DictReader(file))

    patterns = ("type_pattern", "source_pattern", "medium_pattern", "campaign_pattern")
    clicks = rows("click_ids", "priority", "parameter", "source", "medium")
    rules = rows("channel_rules", "rule_order", "channel_group", *patterns)
    return Seeds(
        click_ids=tuple((int(priority), *rest) for priority, *rest in clicks),
        referrer_hosts=rows("referrer_hosts", "host", "source", "type"),
        ignored_referrers=tuple(host for (host,) in rows("ignored_referrers", "host")),
        channel_rules=tuple((int(order), *rest) for order, *rest in rules),
        conversions=rows("conversions", "conversion_name", "event", "value_property"),
        internal_traffic=rows("internal_traffic", "column_name", "pattern"),
    )
