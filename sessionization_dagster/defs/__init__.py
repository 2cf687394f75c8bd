"""Everything that Dagster knows: assets, jobs, schedules, sensors, resources. Wiring only; the rules are in the other folders."""
