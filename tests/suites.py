"""Which tests belong to which suite, and which of them one worker runs at once.

- quick: what catches a broken rule within two minutes. No service, no browser, no process of Dagster's.
- usual: quick, and the whole on real parts. `make test` runs it.
- long: what is slow and rarely broken: more random histories, more moments of a kill, kills of the daemon, the benchmarks' own
  tests, the deployment.

A test belongs to usual unless it is named here; one that fits no suite better is named by its file.
"""

from __future__ import annotations

SUITES = ("quick", "usual", "long", "all")

# Everything in these folders is slow, but for the files and tests below.
SLOW_FOLDERS = ("tests/integration/", "tests/bigquery/")
QUICK = (
    "tests/integration/test_found_breaks.py",
    "tests/integration/test_exactness.py::test_any_order_of_runs_equals_the_oracle[7]",
)
SLOW = (
    "tests/report/test_browser.py",
    "tests/report/test_page.py::test_each_missing_table_or_column_is_named_and_the_rest_is_there",
    "tests/identity/test_store.py",
    "tests/test_bigquery_settings.py::test_raw_tables_may_lie_in_another_project",
    "tests/test_bigquery_target.py::test_definitions_refuse_two_sources_in_one_dataset",
    "tests/test_fingerprints.py::test_a_changed",
    "tests/test_translator.py::test_a_code_server_can_load_all_definitions",
    "tests/test_translator.py::test_a_models_yml_decides_before_its_folder",
)
LONG = (
    "tests/benchmarks/test_agreement.py",
    "tests/benchmarks/test_scenarios.py",
    "tests/integration/test_analytics.py::test_any_order_of_runs_equals_a_rebuild",
    "tests/integration/test_changed_rules.py::test_a_changed_setting_is_applied_by_the_next_run_of_any_day",
    "tests/test_fingerprints.py::test_a_changed_macro_changes_the_tables_whose_sql_changes[1]",
    "tests/integration/test_check_jobs.py::test_failed_checks_show_their_rows_and_the_days_to_run_again",
    "tests/integration/test_daemon.py",
    "tests/integration/test_demo.py::test_dagsters_command_line_materialises_days",
    "tests/integration/test_deployment.py::test_the_services_run_a_backfill_on_postgres",
    "tests/integration/test_examples.py::test_its_commands_give_what_its_readme_shows[own_deployment]",
    "tests/integration/test_exactness.py::test_any_order_of_runs_equals_the_oracle[1]",
    "tests/integration/test_exactness.py::test_any_order_of_runs_equals_the_oracle[2]",
    "tests/integration/test_exactness.py::test_any_order_of_runs_equals_the_oracle[3]",
    "tests/integration/test_exactness.py::test_any_order_of_runs_equals_the_oracle[4]",
    "tests/integration/test_exactness.py::test_any_order_of_runs_equals_the_oracle[5]",
    "tests/integration/test_exactness.py::test_any_order_of_runs_equals_the_oracle[6]",
    "tests/integration/test_exactness.py::test_analytics_equal_the_oracle[1]",
    "tests/integration/test_exactness.py::test_analytics_equal_the_oracle[2]",
    "tests/integration/test_exactness.py::test_analytics_equal_the_oracle[3]",
    "tests/integration/test_exactness.py::test_no_run_is_owed[101]",
    "tests/integration/test_exactness.py::test_no_run_is_owed[102]",
    "tests/integration/test_forget.py::test_a_killed_erasure_is_finished_by_the_next",
    "tests/integration/test_forget.py::test_ordinary_ids_count_only_where_a_row_names_its_visitor",
    "tests/integration/test_forget.py::test_rows_whose_file_is_gone_are_erased_in_the_warehouse",
    "tests/integration/test_fuzzed_folders.py",
    "tests/integration/test_fuzzed_input.py",
    "tests/integration/test_job.py::test_a_killed_run_then_run_again_leaves_what_an_unkilled_one_leaves[more moments]",
    "tests/integration/test_job.py::test_any_subset_of_tables_in_any_order_converges",
    "tests/integration/test_job.py::test_random_histories_through_the_real_job_equal_the_oracle",
    "tests/integration/test_one_visitor.py",
    "tests/integration/test_package.py",
    "tests/integration/test_rebuild_checks.py::test_every_visitor_of_a_random_history_matches_at_any_time",
    "tests/bigquery/test_equality.py::test_a_changed_setting_is_applied_by_the_next_run_of_any_day",
    "tests/bigquery/test_equality.py::test_random_histories_give_the_same_rows_in_steps_and_rebuilt[32]",
    "tests/bigquery/test_equality.py::test_the_sample_gives_the_same_rows",
    "tests/bigquery/test_event_tables.py::test_event_tables_give_events_their_properties",
    "tests/bigquery/test_report.py::test_retention_is_that_of_the_table",
    "tests/bigquery/test_report.py::test_the_same_history_gives_the_same_page",
    "tests/bigquery/test_vendor_cases.py::test_cases_give_the_same_rows[clocks]",
    "tests/bigquery/test_vendor_cases.py::test_late_rows_in_days_that_run_out_of_order_give_the_same_rows",
)

# Dagster's services take a worker for themselves, one after another: two sets of them would wait for each other's processes.
SERVICES = ("test_daemon.py", "test_deployment.py", "test_ui_in_browser.py")
# Long tests that share nothing: whichever worker is free takes the next. The tests of any other file share what its fixtures made.
APART = (
    "test_changed_rules.py", "test_closure.py", "test_equality.py", "test_exactness.py", "test_failures.py", "test_found_breaks.py",
    "test_job.py", "test_maintenance.py", "test_schedules_and_sensors.py",
)  # fmt: skip


def suite_of(nodeid: str) -> str:
    """The smallest suite that has the test: quick, usual or long."""
    if nodeid.startswith(LONG):
        return "long"
    if nodeid.startswith(SLOW) or (nodeid.startswith(SLOW_FOLDERS) and not nodeid.startswith(QUICK)):
        return "usual"
    return "quick"


def belongs(nodeid: str, suite: str) -> bool:
    """Whether a suite runs the test."""
    return suite in ("all", suite_of(nodeid)) or (suite == "usual" and suite_of(nodeid) == "quick")


def turn_of(nodeid: str) -> str:
    """A name for the tests that one worker gets at once."""
    file = nodeid.split("::")[0]
    name = file.rsplit("/", 1)[-1]
    return "services" if name in SERVICES else nodeid if name in APART else file
