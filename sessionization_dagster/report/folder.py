"""A folder as the place of reports. For any place: the names of reports, and which of them are kept. No Dagster, no HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sessionization_dagster.errors import WarehouseError
from sessionization_dagster.report.queries import Days

LATEST = "latest.html"
KEPT = 30
BEGINNING = "sessions_"
OURS = re.compile(rf"{BEGINNING}\d{{4}}-\d\d-\d\d_\d{{4}}-\d\d-\d\d_\w{{8}}\.html")


class Place(Protocol):
    """Where reports are. Each method raises WarehouseError if the place cannot be used; the message names the remedy."""

    def address(self, name: str) -> str:
        """Where a file is, as people write it."""
        ...

    def url(self, name: str) -> str:
        """The address at which a browser shows a file."""
        ...

    def has(self, name: str) -> bool:
        """Whether there is a file of that name."""
        ...

    def write(self, name: str, html: str) -> None:
        """Write a page wholly, or not at all."""
        ...

    def newest_first(self, beginning: str) -> list[str]:
        """The names of its files that begin so, the last written first."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        ...


@dataclass(frozen=True)
class Folder:
    """A folder of this machine. It is made by the first write."""

    path: Path

    def address(self, name: str) -> str:
        """The file's path."""
        return str(self.path / name)

    def url(self, name: str) -> str:
        """The file's path as a URL."""
        return (self.path / name).as_uri()

    def has(self, name: str) -> bool:
        """Whether the file exists."""
        return (self.path / name).exists()

    def write(self, name: str, html: str) -> None:
        """Write a file beside it, then rename, so that a reader never sees half a page."""
        part = self.path / f".{name}.part"
        with self._explained():
            self.path.mkdir(parents=True, exist_ok=True)
            try:
                part.write_text(html, encoding="utf-8")
                part.replace(self.path / name)
            finally:
                part.unlink(missing_ok=True)

    def newest_first(self, beginning: str) -> list[str]:
        """The folder's files, by the time of their last change."""
        with self._explained():
            found = sorted(self.path.glob(f"{beginning}*"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
        return [file.name for file in found]

    def remove(self, name: str) -> None:
        """Remove the file, if it is there."""
        with self._explained():
            (self.path / name).unlink(missing_ok=True)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise WarehouseError(
                f"Reports cannot be written to {self.path}: {error.strerror or error}. Let this user write there, or name another folder "
                "in SESSIONIZATION_REPORT."
            ) from error


def keep_report(place: Place, html: str, days: Days, run_id: str, kept: int = KEPT) -> str:
    """Write a report and latest.html, and remove all but the newest reports. Returns the report's name."""
    name = f"{BEGINNING}{days.first}_{days.last}_{run_id[:8]}.html"
    place.write(name, html)
    place.write(LATEST, html)
    # Other files there belong to somebody else.
    earlier = [found for found in place.newest_first(BEGINNING) if OURS.fullmatch(found) and found != name]
    for old in earlier[kept - 1 :]:
        place.remove(old)
    return name
