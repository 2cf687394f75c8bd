"""What Dagster knows: assets, jobs, schedules, sensors, resources. Wiring; the rules are in the other folders."""
