"""The page's sections and the order of their figures."""

from __future__ import annotations

from sessionization_dagster.report.acquisition import attribution, channels, people, retention, sources, traffic
from sessionization_dagster.report.behaviour import activity, countries, duration, funnel, journeys, pages
from sessionization_dagster.report.parts import Section
from sessionization_dagster.report.queries import Answers, Days
from sessionization_dagster.report.trust import devices, events, newest, reassignments, rejected


def sections(answers: Answers, days: Days) -> list[Section]:
    """The page's sections, in order."""
    return [
        Section("activity", "Activity", [activity(answers, days), duration(answers)]),
        Section(
            "channels",
            "Channels",
            [
                channels(answers),
                sources(answers),
                traffic(answers),
                people(answers, days),
                attribution(answers),
                retention(answers, days),
            ],
        ),
        Section("traffic", "Traffic", [pages(answers), countries(answers)]),
        Section("paths", "Funnel and journeys", [funnel(answers), journeys(answers)]),
        Section("identity", "Identity", [devices(answers), reassignments(answers, days)]),
        Section("quality", "Data quality", [events(answers, days), rejected(answers, days), newest(answers)]),
    ]
