"""The pool that keeps writers apart: runs must not overlap, and DuckDB allows one writer in any case."""

WRITER_POOL = "warehouse_writer"
