"""Errors that a user can act upon: each message names what is wrong, where, and the remedy."""


class SettingsError(ValueError):
    """A setting has a value that cannot be used."""


class WarehouseError(RuntimeError):
    """The warehouse refused: it is locked, unreachable or of another version."""


class DbtError(RuntimeError):
    """A dbt command failed: names the nodes and what the warehouse said."""
