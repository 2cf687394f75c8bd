"""Which days have raw rows that came after their run."""
