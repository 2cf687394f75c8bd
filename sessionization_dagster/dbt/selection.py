"""Which dbt nodes a step builds: by their side of the identity graph, and by the run's selected assets and checks.

The second uses a function of dagster-dbt that is not public, the only such use; a test pins it.
"""

from __future__ import annotations

import dagster as dg
from dagster_dbt import DagsterDbtTranslator
from dagster_dbt.asset_utils import get_updated_cli_invocation_params_for_context

from sessionization_dagster.dbt.manifest import Manifest

# Tags of the models before the identity graph, and of those after it.
BEFORE_IDENTITY, AFTER_IDENTITY = "events", "sessions"


def selection_arguments(
    context: dg.AssetExecutionContext, manifest: Manifest, translator: DagsterDbtTranslator
) -> list[str]:
    """Return dbt's arguments for the subset of assets and checks that this step must materialise."""
    parameters = get_updated_cli_invocation_params_for_context(context, manifest.json, translator)
    arguments = list(parameters.selection_args)
    # A test over several models runs in the step that builds the last of them. In an earlier step it would read yesterday's tables.
    return [*arguments, "--indirect-selection", parameters.indirect_selection or "buildable"]
