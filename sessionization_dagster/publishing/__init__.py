"""Tables as Parquet files, for other tools."""
