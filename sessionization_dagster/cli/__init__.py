"""What people type: the command `sessionization`, and the Dagster home that it keeps."""
