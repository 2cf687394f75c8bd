"""Tables rebuilt: the full rebuild, and the recomputed sample that checks compare with."""
