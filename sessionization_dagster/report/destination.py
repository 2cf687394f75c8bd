"""Where the settings have reports written."""

from __future__ import annotations

from sessionization_dagster.report.folder import Folder, Place
from sessionization_dagster.settings.environment import Environment


def report_place(environment: Environment) -> Place:
    """The folder or the bucket of reports. Opens nothing."""
    settings = environment.bigquery
    if settings is None or settings.report_bucket is None:
        return Folder(environment.reports)
    # Google's storage client takes a while to import, and only a bucket needs it.
    from sessionization_dagster.landing.gcs.clients import GCSClients
    from sessionization_dagster.landing.gcs.objects import Bucket
    from sessionization_dagster.report.bucket import ReportBucket

    return ReportBucket(GCSClients.of(settings), Bucket.of(settings.report_bucket))
