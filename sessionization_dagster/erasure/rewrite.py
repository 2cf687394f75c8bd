"""Rewrites a landed file without a person's records, in the way that its format needs. No SQL, no Dagster."""

from __future__ import annotations

from collections.abc import Callable

from sessionization_dagster.erasure.changes import Changes, Outcome
from sessionization_dagster.erasure.ids import Ids
from sessionization_dagster.erasure.parquet_files import rewrite_parquet
from sessionization_dagster.erasure.text_files import rewrite_text
from sessionization_dagster.landing.data_file import LandedFile
from sessionization_dagster.landing.formats import recognised


def rewrite(file: LandedFile, changes: Changes, ids: Ids, settle: Callable[[Outcome], None]) -> Outcome:
    """Replace the file by one with the changes. If no record changes, the file is not touched.

    settle is called with the outcome just before the file is replaced.

    Raises:
        RewriteError: this is not possible without harm to other records. The file is unchanged.
    """
    found = recognised(file)
    return (rewrite_parquet if found.format == "parquet" else rewrite_text)(found, changes, ids, settle)
