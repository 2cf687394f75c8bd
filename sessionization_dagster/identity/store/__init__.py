"""The identity graph in the warehouse. The rules of who is who are in identity/; here are their tables. No Dagster, no clock."""

from sessionization_dagster.identity.store.update import GraphUpdate, update_identity_graph

__all__ = ["GraphUpdate", "update_identity_graph"]
