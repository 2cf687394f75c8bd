"""Which files lie in the landing folder and which raw table each belongs to. Names and sizes; nothing is opened."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sessionization_dagster.landing.names import (
    EXPECTED_LAYOUT,
    HIDDEN,
    OUTSIDE_A_TABLE,
    READ_ALREADY,
    UNKNOWN_ENDING,
    folders_of,
    format_of,
    is_hidden,
    is_working_folder,
    unknown_source,
    unknown_table,
)
from sessionization_dagster.landing.tables import LandingError, RawTable


@dataclass(frozen=True)
class LandedFile:
    """One data file, as it was when the folder was listed.

    Attributes:
        path: absolute.
        source_file: below the landing folder, with forward slashes: the file's identity in the ledger.
        format: parquet, csv or jsonl.
        gzipped: whether its name says so.
        size_bytes: on disk.
        modified_ns: last modification, nanoseconds since 1970.
    """

    path: str
    source_file: str
    format: str
    gzipped: bool
    size_bytes: int
    modified_ns: int


@dataclass
class Discovery:
    """What the landing folder holds.

    Attributes:
        files: by raw table name, each sorted by path.
        ignored: (path, reason) of the others.
        unknown_folders: sentences.
    """

    files: dict[str, list[LandedFile]]
    ignored: list[tuple[str, str]] = field(default_factory=list)
    unknown_folders: list[str] = field(default_factory=list)


def discover(landing: Path, tables: Sequence[RawTable]) -> Discovery:
    """Lists the landing folder.

    Raises LandingError when it is missing, cannot be listed, or holds no data file for any of `tables`: an unmounted or
    mistyped folder must not look like one whose files were all withdrawn.
    """
    root = os.path.abspath(landing)
    if not os.path.isdir(root):
        raise LandingError(
            f"the landing folder {root} does not exist; expected {EXPECTED_LAYOUT}. "
            "Create it, or point SESSIONIZATION_LANDING at the folder that holds the files"
        )
    discovery = Discovery({table.name: [] for table in tables})
    folders = folders_of(tables)
    for path in sorted(_walk(root, discovery.ignored)):
        _place(root, path, folders, discovery)
    discovery.unknown_folders += _unknown_folders(root, folders)
    if not any(discovery.files.values()):
        hints = "".join(f"; {text}" for text in discovery.unknown_folders)
        raise LandingError(
            f"the landing folder {root} holds no data file for {', '.join(discovery.files) or 'any table'}; "
            f"expected {EXPECTED_LAYOUT}{hints}. "
            "Nothing was changed: put the files there, or correct SESSIONIZATION_LANDING"
        )
    return discovery


def _walk(root: str, ignored: list[tuple[str, str]]) -> Iterator[str]:
    """Paths of all visible files below `root`, and of what is hidden in the tables' folders though it may be data.

    Follows links, but into each folder once.
    """

    def refuse(error: OSError) -> None:
        # A folder that cannot be listed would otherwise look empty, and its rows would be withdrawn.
        raise LandingError(f"{error.filename} cannot be listed ({error.strerror}): allow reading it, or move it away")

    seen = set()
    for folder, subfolders, names in os.walk(root, onerror=refuse, followlinks=True):
        status = os.stat(folder)
        if (status.st_dev, status.st_ino) in seen:
            ignored.append((_printable(_relative(root, folder)), READ_ALREADY))
            subfolders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        if _relative(root, folder).count("/"):
            hidden = [name for name in subfolders if is_hidden(name) and not is_working_folder(name)]
            yield from (path for path in (os.path.join(folder, name) for name in hidden) if _holds_data(path))
        # In order, so that of two links to one folder always the same one is followed.
        subfolders[:] = sorted(name for name in subfolders if not is_hidden(name))
        yield from (os.path.join(folder, name) for name in names if not is_hidden(name) or format_of(name))


def _holds_data(folder: str) -> bool:
    """Whether there are files in a hidden folder that may have been meant to be read."""
    for _, subfolders, names in os.walk(folder):
        subfolders[:] = [name for name in subfolders if not is_working_folder(name)]
        if any(format_of(name) for name in names):
            return True
    return False


def _place(root: str, path: str, folders: dict[tuple[str, str], str], discovery: Discovery) -> None:
    """Adds one file to its table's list, or to the ignored ones. Unknown folders and hidden ones are told of as a whole."""
    relative = _relative(root, path)
    parts = relative.split("/")
    hidden = is_hidden(parts[-1])
    if len(parts) < 3:
        discovery.ignored += [] if hidden else [(_printable(relative), OUTSIDE_A_TABLE)]
        return
    name = folders.get((parts[0], parts[1]))
    if name is None:
        return
    file = HIDDEN if hidden else _landed_file(path, relative)
    if isinstance(file, str):
        discovery.ignored.append((_printable(relative), file))
    else:
        discovery.files[name].append(file)


def _landed_file(path: str, relative: str) -> LandedFile | str:
    """The file, or why it is none that can be landed."""
    found = format_of(relative)
    if found is None:
        return UNKNOWN_ENDING
    if _printable(relative) != relative:
        return "its name is not UTF-8; rename it"
    try:
        status = os.stat(path)
    except OSError as error:
        return f"it cannot be looked at ({error.strerror})"
    if not stat.S_ISREG(status.st_mode):
        return "it is not a regular file"
    return LandedFile(path, relative, *found, status.st_size, status.st_mtime_ns)


def _unknown_folders(root: str, folders: dict[tuple[str, str], str]) -> Iterator[str]:
    """One sentence per folder with files that no raw table is filled from, naming the allowed names."""
    sources = sorted({source for source, _ in folders})
    for source in _subfolders(root):
        if source not in sources:
            if _holds_files(os.path.join(root, source)):
                yield unknown_source(_printable(source), sources)
            continue
        tables = sorted(table for known, table in folders if known == source)
        for table in _subfolders(os.path.join(root, source)):
            if table not in tables and _holds_files(os.path.join(root, source, table)):
                yield unknown_table(source, _printable(table), tables)


def _holds_files(folder: str) -> bool:
    """Whether there are visible files in a folder, at any depth."""
    for _, subfolders, names in os.walk(folder):
        subfolders[:] = [name for name in subfolders if not is_hidden(name)]
        if not all(is_hidden(name) for name in names):
            return True
    return False


def _subfolders(folder: str) -> list[str]:
    """Names of the visible folders directly below `folder`, sorted."""
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir() and not is_hidden(entry.name))


def _relative(root: str, path: str) -> str:
    """The path below `root`, with forward slashes."""
    return os.path.relpath(path, root).replace(os.sep, "/")


def _printable(name: str) -> str:
    """The name as text that can be stored and logged, whatever bytes it is made of."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
