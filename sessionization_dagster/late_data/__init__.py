"""Which days have raw rows that arrived after the days had run."""
