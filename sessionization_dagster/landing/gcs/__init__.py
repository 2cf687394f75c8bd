"""Raw files in a bucket become rows of raw tables in BigQuery, by load jobs. Of Dagster only its client; no environment, no clock."""

from sessionization_dagster.landing.gcs.load_bucket import land_bucket
from sessionization_dagster.landing.gcs.objects import Bucket

__all__ = ["Bucket", "land_bucket"]
