"""The errors of reading one file. None of them leaves the landing: each becomes a row of `raw.landing_rejects`."""

from __future__ import annotations


class UnreadableFile(Exception):
    """The file cannot be read at all. The message names the problem and the remedy.

    `transient`: the cause is outside the file (a permission, a disk), so a retry with the unchanged file may succeed.
    """

    def __init__(self, message: str, *, transient: bool = False) -> None:
        """The message continues a sentence that starts with the file's name."""
        super().__init__(message)
        self.transient = transient


class NeedsRowByRow(Exception):
    """The vectorised readers cannot read the whole file, or cannot say where it is broken: read it record by record."""
