"""The command `sessionization`, and the Dagster home that it keeps."""
