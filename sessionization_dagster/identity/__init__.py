"""Who is behind an event: pure functions over numbers. No Dagster, no SQL, no clock."""
