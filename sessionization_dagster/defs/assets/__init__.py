"""Dagster assets: wiring only. They read, call and write; the functions that they call are tested without Dagster."""
