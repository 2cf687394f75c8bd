"""The identity graph in the warehouse: its tables. The rules of who is who are in identity/. No Dagster, no clock."""

from sessionization_dagster.identity.store.update import GraphUpdate, update_identity_graph

__all__ = ["GraphUpdate", "update_identity_graph"]
