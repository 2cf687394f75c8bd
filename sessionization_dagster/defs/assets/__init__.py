"""Dagster assets: wiring only. They read, call and write; what they call is tested without Dagster."""
