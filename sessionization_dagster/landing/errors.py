"""How reading one file can fail. None of these leaves the landing: each becomes a row of `raw.landing_rejects`."""

from __future__ import annotations


class UnreadableFile(Exception):
    """The file cannot be read at all; the message names the problem and the remedy.

    `transient` says that the cause lies outside the file (a permission, a disk): it is worth trying again unchanged.
    """

    def __init__(self, message: str, *, transient: bool = False) -> None:
        """The message continues a sentence that starts with the file's name."""
        super().__init__(message)
        self.transient = transient


class NeedsCare(Exception):
    """The vectorised readers cannot read the whole file, or cannot say where it is broken: read it record by record."""
