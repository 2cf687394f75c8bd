"""The pool that keeps writers apart: runs must not overlap, and an embedded warehouse has one writer anyway."""

WRITER_POOL = "warehouse_writer"
