"""The remedy for BigQuery's errors, and whether they are transient. Matched by text, because dbt passes on only text. Imports no client."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sessionization_dagster.errors import WarehouseError, is_transient, says_passing_trouble


@dataclass(frozen=True)
class Trouble:
    """A kind of error: the text that identifies it, the remedy, and whether a later retry may help."""

    words: re.Pattern[str]
    remedy: str
    passes: bool = False


def _trouble(words: str, remedy: str, passes: bool = False) -> Trouble:
    return Trouble(re.compile(words, re.IGNORECASE | re.DOTALL), remedy, passes)


# The first match counts, so the specific ones come before the general ones.
TROUBLES = (
    _trouble(
        r"aborted due to concurrent update|could not serialize access to table",
        "Something else changed the table meanwhile: let no other run or tool write the project's datasets.",
        passes=True,
    ),
    _trouble(
        r"bytesBilledLimitExceeded|exceeded limit for bytes billed",
        "Raise BIGQUERY_MAX_BYTES_BILLED (bytes that one statement may bill), or run fewer days at once.",
    ),
    _trouble(
        r"exceeded rate limits|rateLimitExceeded|too many DML statements outstanding",
        "BigQuery asks for fewer requests at a time: try again later, or let fewer jobs run at the same time.",
        passes=True,
    ),
    _trouble(
        r"jobBackendError|jobInternalError|retrying (?:the job )?(?:with back-?off )?(?:may|might|should) solve the problem"
        r"|encountered an internal error during execution|an internal error occurred and the request could not be completed",
        "BigQuery failed by itself: run it again.",
        passes=True,
    ),
    _trouble(
        r"quota exceeded|quotaExceeded",
        "A quota of the project is used up: wait until it is renewed, or ask for more under IAM & Admin, Quotas.",
    ),
    _trouble(
        r"billing has not been enabled|billingNotEnabled|free tier|sandbox",
        "BigQuery's sandbox has no DML: enable billing for the project that BIGQUERY_PROJECT names.",
    ),
    _trouble(
        r"BigQuery API has not been used|has not enabled BigQuery|accessNotConfigured|SERVICE_DISABLED",
        "Enable the BigQuery API for the project that BIGQUERY_PROJECT names: gcloud services enable bigquery.googleapis.com",
    ),
    _trouble(
        r"bigquery\.jobs\.create",
        "Grant roles/bigquery.jobUser on the project that BIGQUERY_PROJECT names, or name another project.",
    ),
    _trouble(
        r"bigquery\.datasets\.create\b",
        "Grant roles/bigquery.user on the project, or create the datasets <BIGQUERY_DATASET>_<schema> beforehand.",
    ),
    _trouble(
        r"bigquery\.readsessions\.",
        "Grant roles/bigquery.readSessionUser on the project that BIGQUERY_PROJECT names.",
    ),
    _trouble(
        r"bigquery\.(?:tables\.(?:create|update|updateData|delete)|routines\.|datasets\.update)",
        "Grant roles/bigquery.dataEditor on the datasets <BIGQUERY_DATASET>_<schema>.",
    ),
    _trouble(
        r"bigquery\.tables\.get|bigquery\.tables\.list|permission to query table",
        "Grant roles/bigquery.dataViewer on the dataset. Where the table does not exist, see BIGQUERY_DATASET and "
        "SESSIONIZATION_RAW_DATASETS; run the assets before it.",
    ),
    _trouble(
        r"storage\.objects\.(?:list|get)|storage\.buckets\.get",
        "Grant roles/storage.objectViewer on the bucket that SESSIONIZATION_LANDING names, to the account in use.",
    ),
    _trouble(
        r"specified bucket does not exist|not found: uris? gs://",
        "No such bucket: SESSIONIZATION_LANDING must name one that exists, like gs://my-bucket/landing.",
    ),
    _trouble(
        r"access denied|accessDenied|\b403\b.*permission",
        "Grant roles/bigquery.jobUser on the project and roles/bigquery.dataEditor on the datasets, to the account in use.",
    ),
    _trouble(
        r"different locations|was not found in location|does not exist in location",
        "BIGQUERY_LOCATION must be where all datasets are, the vendor's raw ones too; a dataset cannot be moved. Else a name is wrong: "
        "see BIGQUERY_PROJECT, BIGQUERY_DATASET and SESSIONIZATION_RAW_DATASETS, and run the assets before it.",
    ),
    _trouble(
        r"not found: project|projectId must be non-empty|invalid project id|unknown project",
        "No such project: set BIGQUERY_PROJECT to a project's id (not its name or number) that this account may use.",
    ),
    _trouble(
        r"not found: dataset",
        "No such dataset: see BIGQUERY_DATASET and SESSIONIZATION_RAW_DATASETS; run the assets that fill it.",
    ),
    _trouble(
        r"not found: table",
        "No such table: run the assets before it; of a raw table see SESSIONIZATION_RAW_DATASETS and the vendor's loader.",
    ),
    _trouble(
        r"default credentials were not found|could not automatically determine credentials",
        "No credentials: set BIGQUERY_KEYFILE to a service account's file, or run gcloud auth application-default login.",
    ),
    _trouble(
        r"reauthentication is needed|invalid_grant|invalid authentication credentials|\b401\b.*credential",
        "The credentials have expired or were revoked: run gcloud auth application-default login, or give BIGQUERY_KEYFILE a valid key.",
    ),
    _trouble(
        r"job timed out|operation timed out|did not complete within|timeout of [0-9.]+ ?s exceeded(?!, last)",
        "Raise BIGQUERY_TIMEOUT_SECONDS, or run fewer days at once.",
    ),
    _trouble(
        r"rows? larger than 100 ?MB|maximum row size",
        "A session, or a visitor, has more events than one row can hold: some 280,000 calls in a row of segment.segment_sessions. "
        "Block the id (blocked_ids), or leave out the family segment (SESSIONIZATION_FAMILIES).",
    ),
    _trouble(
        r"too many subqueries|query is too complex|not enough resources for query planning|query is too large",
        "The statement's text is too large for BigQuery, whatever the days: please report it with the model's name.",
    ),
    _trouble(
        r"query over table .* without a filter",
        "The table asks for a bound on its partition column: switch off require_partition_filter of a raw table, or report it of a "
        "table of the project.",
    ),
    _trouble(
        r"resources exceeded|resourcesExceeded|exceeded resource limits",
        "The statement is too large for BigQuery: run fewer days at once.",
    ),
)


def trouble_of(text: str) -> Trouble | None:
    """The kind of error that a text matches; None if it is unknown."""
    return next((trouble for trouble in TROUBLES if trouble.words.search(text)), None)


def with_remedy(text: str) -> str:
    """The text, followed by the remedy on a line of its own if it is known."""
    trouble = trouble_of(text)
    return f"{text}\n  Remedy: {trouble.remedy}" if trouble else text


def passes(text: str) -> bool:
    """Whether a later retry may help against the error in the text."""
    trouble = trouble_of(text)
    return trouble.passes if trouble else says_passing_trouble(text)


def as_warehouse_error(error: Exception, project: str) -> WarehouseError:
    """Turn a client's exception (of a query, a request or the credentials) into the error that users see."""
    text = f"{type(error).__name__} {error}" if not str(error) else str(error)
    trouble = trouble_of(text)
    said = f"BigQuery (project {project}) says: {text.strip()}"
    if trouble:
        return WarehouseError(f"{said}\n  Remedy: {trouble.remedy}", is_transient=trouble.passes)
    return WarehouseError(said, is_transient=is_transient(error))


@contextmanager
def with_remedies(project: str) -> Iterator[None]:
    """Turn exceptions of Google's client inside the block into WarehouseErrors.

    Raises:
        WarehouseError: names the remedy if it is known.
    """
    # Imported where it is used: dbt's errors are text and do not need it, and the client is slow to import.
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError
    from requests.exceptions import RequestException

    try:
        yield
    except (GoogleAPIError, GoogleAuthError, RequestException, ConnectionError, TimeoutError) as error:
        raise as_warehouse_error(error, project) from error
