"""What BigQuery really says, as its client's exceptions and as dbt's texts: each with its remedy, and whether it passes."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from google.api_core import exceptions as google
from google.auth import exceptions as auth
from requests.exceptions import ConnectionError as NoConnection

from sessionization_dagster.dbt.runner import raise_failures
from sessionization_dagster.errors import DbtError, WarehouseError, is_transient
from sessionization_dagster.warehouses.bigquery_errors import with_remedies

POST = "POST https://bigquery.googleapis.com/bigquery/v2/projects/shop/jobs?prettyPrint=false"
LASTING: list[tuple[Exception, str]] = [
    (
        google.InternalServerError(
            "Query exceeded limit for bytes billed: 163595928. 164626432 or higher required.; reason: bytesBilledLimitExceeded"
        ),
        "BIGQUERY_MAX_BYTES_BILLED",
    ),
    (google.InternalServerError(f"{POST}: Query exceeded limit for bytes billed: 1000."), "BIGQUERY_MAX_BYTES_BILLED"),
    (
        google.Forbidden(
            "Quota exceeded: Your table exceeded quota for imports or query appends per table. For more information, see "
            "https://cloud.google.com/bigquery/docs/troubleshoot-quotas"
        ),
        "quota of the project",
    ),
    (
        google.Forbidden(
            f"{POST}: Access Denied: Project shop: User does not have bigquery.jobs.create permission in project shop."
        ),
        "roles/bigquery.jobUser",
    ),
    (
        google.Forbidden(
            "Access Denied: Dataset shop:a_core: Permission bigquery.tables.create denied on dataset shop:a_core (or it may not exist)."
        ),
        "roles/bigquery.dataEditor",
    ),
    (
        google.Forbidden(
            "Access Denied: Project shop: User does not have bigquery.datasets.create permission in project shop."
        ),
        "roles/bigquery.user",
    ),
    (
        google.Forbidden(
            "Access Denied: Table shop:rudder.tracks: User does not have permission to query table shop:rudder.tracks, or perhaps it "
            "does not exist."
        ),
        "roles/bigquery.dataViewer",
    ),
    (
        google.PermissionDenied(
            "request failed: the user does not have 'bigquery.readsessions.create' permission for 'projects/shop'"
        ),
        "roles/bigquery.readSessionUser",
    ),
    (
        google.Forbidden(
            "BigQuery API has not been used in project 1 before or it is disabled. Enable it by visiting https://console.example"
        ),
        "gcloud services enable",
    ),
    (
        google.Forbidden(
            "Billing has not been enabled for this project. Enable billing at https://console.cloud.google.com/billing. DML queries "
            "are not allowed in the free tier."
        ),
        "enable billing",
    ),
    (google.NotFound("Not found: Dataset shop:a_core was not found in location US"), "BIGQUERY_LOCATION"),
    (google.NotFound("Not found: Table shop:rudder.tracks was not found in location EU"), "BIGQUERY_LOCATION"),
    (
        google.BadRequest("Cannot read and write in different locations: source: US, destination: EU"),
        "BIGQUERY_LOCATION",
    ),
    (google.NotFound("GET https://bigquery.googleapis.com/x: Not found: Dataset shop:a_core"), "BIGQUERY_DATASET"),
    (
        google.NotFound("GET https://bigquery.googleapis.com/x: Not found: Table shop:a_core.t"),
        "SESSIONIZATION_RAW_DATASETS",
    ),
    (google.NotFound("GET https://bigquery.googleapis.com/x: Not found: Project no-project-id"), "BIGQUERY_PROJECT"),
    (google.BadRequest("ProjectId must be non-empty"), "BIGQUERY_PROJECT"),
    (
        auth.DefaultCredentialsError(
            "Your default credentials were not found. To set up Application Default Credentials, see "
            "https://cloud.google.com/docs/authentication/external/set-up-adc for more information."
        ),
        "BIGQUERY_KEYFILE",
    ),
    (
        auth.RefreshError(
            "Reauthentication is needed. Please run `gcloud auth application-default login` to reauthenticate."
        ),
        "gcloud auth application-default login",
    ),
    (auth.RefreshError("('invalid_grant: Invalid JWT Signature.', {'error': 'invalid_grant'})"), "BIGQUERY_KEYFILE"),
    (google.BadRequest("Job timed out after 3600s; reason: stopped"), "BIGQUERY_TIMEOUT_SECONDS"),
    (
        google.BadRequest(
            "Resources exceeded during query execution: Not enough resources for query planning - too many subqueries"
        ),
        "report it",
    ),
    (
        google.BadRequest(
            "Resources exceeded during query execution: The query could not be executed in the allotted memory."
        ),
        "fewer days",
    ),
    (
        google.BadRequest(
            "Query exceeded resource limits. This query used 9000 CPU seconds but would charge only 10M bytes."
        ),
        "fewer days",
    ),
    (google.BadRequest("Cannot query rows larger than 100MB limit."), "blocked_ids"),
    (
        google.BadRequest(
            "Cannot query over table 'p.d.tracks' without a filter over column(s) 'received_at' that can be used for partition elimination"
        ),
        "require_partition_filter",
    ),
]
PASSING: list[tuple[Exception, str]] = [
    (
        google.BadRequest(
            "GET https://bigquery.googleapis.com/x: The job encountered an error during execution. Retrying the job may solve the problem."
        ),
        "run it again",
    ),
    (
        google.BadRequest(
            "The job encountered an internal error during execution and was unable to complete successfully."
        ),
        "run it again",
    ),
    (
        google.BadRequest("An internal error occurred and the request could not be completed. Error: 3144498"),
        "run it again",
    ),
    (
        google.BadRequest(
            "Query error: Transaction is aborted due to concurrent update against table shop:a_core.identity_graph. Transaction ID: "
            "61e30eea-0000-2dab-8e60-94eb2c1b1a92 at [24:9]"
        ),
        "no other run",
    ),
    (google.BadRequest("Could not serialize access to table shop:a_core.t due to concurrent update"), "no other run"),
    (
        google.Forbidden(
            "Exceeded rate limits: too many table update operations for this table. For more information, see x"
        ),
        "fewer requests",
    ),
    (
        google.Forbidden(f"{POST}: Exceeded rate limits: too many concurrent queries for this project_and_region"),
        "fewer requests",
    ),
]
UNEXPLAINED: list[tuple[Exception, bool]] = [
    (google.ServiceUnavailable(f"{POST}: Visibility check was unavailable. Please retry the request"), True),
    (google.BadRequest("Unrecognized name: nope at [1:8]"), False),
    (NoConnection("HTTPConnectionPool(host='127.0.0.1', port=1): Max retries exceeded: Connection refused"), True),
    (
        google.RetryError(
            "Timeout of 60.0s exceeded, last exception: HTTPConnectionPool(host='127.0.0.1', port=1): Connection refused",
            cause=None,
        ),
        True,
    ),
]


def raised(error: Exception) -> WarehouseError:
    with pytest.raises(WarehouseError) as caught, with_remedies("shop"):
        raise error
    return caught.value


@pytest.mark.parametrize(
    ("error", "says", "passes"), [(*case, False) for case in LASTING] + [(*case, True) for case in PASSING]
)
def test_a_known_error_has_its_remedy(error: Exception, says: str, passes: bool) -> None:
    shown = raised(error)
    assert says in str(shown).partition("Remedy: ")[2]
    assert str(error).strip() in str(shown)
    assert "project shop" in str(shown)
    assert is_transient(shown) is passes


@pytest.mark.parametrize(("error", "passes"), UNEXPLAINED)
def test_others_keep_their_words(error: Exception, passes: bool) -> None:
    shown = raised(error)
    assert str(error) in str(shown)
    assert "Remedy" not in str(shown)
    assert is_transient(shown) is passes


def test_errors_of_ones_own_are_left_alone() -> None:
    with pytest.raises(KeyError), with_remedies("shop"):
        raise KeyError("bug")


def failed(*messages: str) -> SimpleNamespace:
    """What dbt returns of nodes that failed."""
    nodes = [
        SimpleNamespace(node=SimpleNamespace(name=f"m{n}"), message=message, status=SimpleNamespace(value="error"))
        for n, message in enumerate(messages)
    ]
    return SimpleNamespace(exception=None, success=False, result=SimpleNamespace(results=nodes))


@pytest.mark.parametrize(
    ("error", "says", "passes"), [(*case, False) for case in LASTING] + [(*case, True) for case in PASSING]
)
def test_dbts_words_get_the_same(error: Exception, says: str, passes: bool) -> None:
    result = failed(f"Database Error in model m (models/core/m.sql)\n  {error}\n  compiled code at target/run/m.sql")
    with pytest.raises(DbtError, match=r"m0: Database Error") as caught:
        raise_failures("build", result, "bigquery")
    assert says in str(caught.value).partition("Remedy: ")[2]
    assert is_transient(caught.value) is passes


def test_dbt_is_tried_again_only_if_all_that_failed_may_pass() -> None:
    passing, lasting = str(PASSING[0][0]), str(LASTING[0][0])
    for messages, passes in (((passing, passing), True), ((passing, lasting), False)):
        with pytest.raises(DbtError) as caught:
            raise_failures("build", failed(*messages), "bigquery")
        assert is_transient(caught.value) is passes


def test_dbt_that_cannot_start_gets_them_too() -> None:
    error, says = LASTING[17]
    with pytest.raises(DbtError, match=says):
        raise_failures("build", SimpleNamespace(exception=error, success=False, result=None), "bigquery")


def test_on_duckdb_nobody_speaks_of_bigquery() -> None:
    with pytest.raises(DbtError) as caught:
        raise_failures("build", failed("Catalog Error: quota exceeded"), "duckdb")
    assert "Remedy" not in str(caught.value)
