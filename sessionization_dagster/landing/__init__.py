"""Raw files in a folder become rows of raw tables. No Dagster, no environment, no clock."""

from sessionization_dagster.landing.landing_report import LandingReport, TableReport
from sessionization_dagster.landing.load import land
from sessionization_dagster.landing.tables import LandingError, RawColumn, RawTable
from sessionization_dagster.settings.environment import RemovedFiles

__all__ = [
    "LandingError",
    "LandingReport",
    "RawColumn",
    "RawTable",
    "RemovedFiles",
    "TableReport",
    "land",
]
