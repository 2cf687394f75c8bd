"""Which files are in the landing folder, and which raw table each belongs to."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

from sessionization_dagster.landing.data_file import LandedFile
from sessionization_dagster.landing.names import (
    EXPECTED_LAYOUT,
    HIDDEN,
    OUTSIDE_A_TABLE,
    READ_ALREADY,
    UNFINISHED,
    folders_of,
    format_of,
    is_hidden,
    is_unfinished,
    is_working_folder,
    owner_of,
    unknown_source,
    unknown_table,
)
from sessionization_dagster.landing.routing import route_calls
from sessionization_dagster.landing.tables import LandingError, RawTable


@dataclass
class Discovery:
    """The content of the landing folder.

    Attributes:
        files: by raw table name, each sorted by path. A file of raw calls belongs to each table of its source that takes calls.
        strays: by `<source>/<folder>`, files of known sources in folders that belong to no table.
        strays_ignored: by the same key, (path, reason) of files there that cannot be landed.
        ignored: (path, reason) of all other files.
        unknown_folders: sentences about folders that belong to no table.
    """

    files: dict[str, list[LandedFile]]
    strays: dict[str, list[LandedFile]] = field(default_factory=dict)
    strays_ignored: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    ignored: list[tuple[str, str]] = field(default_factory=list)
    unknown_folders: list[str] = field(default_factory=list)

    def holds(self, source_file: str) -> bool:
        """Whether a file is there, for any table, or is in a refused folder. True too for a folder that is no longer refused."""
        return (
            source_file in self._present or source_file in self._folders_read or source_file.startswith(self._refused)
        )

    @cached_property
    def _present(self) -> frozenset[str]:
        return frozenset(file.source_file for files in self.files.values() for file in files)

    @cached_property
    def _folders_read(self) -> frozenset[str]:
        return frozenset(str(folder) for name in self._present for folder in PurePosixPath(name).parents)

    @cached_property
    def _refused(self) -> tuple[str, ...]:
        return tuple(f"{file.source_file}/" for files in self.files.values() for file in files if file.refusal)


def discover(landing: Path, tables: Sequence[RawTable]) -> Discovery:
    """Lists the landing folder. Opens only files of sources that may deliver raw calls, to see whether they do.

    Raises LandingError if the folder is missing, cannot be listed, or holds no data file for any of `tables`: an unmounted or
    mistyped folder must not look like one whose files were all removed.
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
    routed = route_calls(discovery.files, discovery.strays, tables)
    # Every other folder of strays is named as a whole.
    discovery.ignored += [entry for folder in sorted(routed) for entry in discovery.strays_ignored.get(folder, ())]
    discovery.unknown_folders += _unknown_folders(root, folders, routed)
    if not any(discovery.files.values()):
        hints = "".join(f"; {text}" for text in discovery.unknown_folders)
        raise LandingError(
            f"the landing folder {root} holds no data file for {', '.join(discovery.files) or 'any table'}; "
            f"expected {EXPECTED_LAYOUT}{hints}. "
            "Nothing was changed: put the files there, or correct SESSIONIZATION_LANDING"
        )
    return discovery


def _walk(root: str, ignored: list[tuple[str, str]]) -> Iterator[str]:
    """Paths of all visible files below `root`, of hidden files that may be data, and of such hidden folders in the tables' folders.

    Follows links, but enters each folder only once.
    """

    def refuse(error: OSError) -> None:
        # A folder that cannot be listed would otherwise look empty, and its rows would be removed.
        raise LandingError(f"{error.filename} cannot be listed ({error.strerror}): allow reading it, or move it away")

    seen = set()
    for folder, subfolders, names in os.walk(root, onerror=refuse, followlinks=True):
        status = os.stat(folder)
        if (status.st_dev, status.st_ino) in seen:
            ignored.append((_printable(_relative(root, folder)), READ_ALREADY))
            subfolders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        if _owner(folder, subfolders):
            yield folder
            subfolders.clear()
            continue
        if _relative(root, folder).count("/"):
            hidden = [name for name in subfolders if is_hidden(name) and not is_working_folder(name)]
            yield from (path for path in (os.path.join(folder, name) for name in hidden) if _holds_data(path))
        # Sorted, so that of two links to one folder the same one is always followed.
        subfolders[:] = sorted(name for name in subfolders if not is_hidden(name))
        yield from (os.path.join(folder, name) for name in names if not is_hidden(name) or format_of(name))


def _owner(folder: str, subfolders: Sequence[str]) -> str | None:
    """Why no file below the folder can be read, if another format owns it."""
    metadata = os.path.join(folder, "metadata")
    return owner_of(subfolders, os.listdir(metadata) if "metadata" in subfolders and os.path.isdir(metadata) else ())


def _holds_data(folder: str) -> bool:
    """Whether a hidden folder has files that may be meant to be read."""
    for _, subfolders, names in os.walk(folder):
        subfolders[:] = [name for name in subfolders if not is_working_folder(name)]
        if any(format_of(name) for name in names):
            return True
    return False


def _place(root: str, path: str, folders: dict[tuple[str, str], str], discovery: Discovery) -> None:
    """Adds one file to its table's list, or to the ignored files. Unknown folders are reported as a whole."""
    relative = _relative(root, path)
    parts = relative.split("/")
    if os.path.isdir(path) and not is_hidden(parts[-1]):
        _refuse_folder(path, relative, folders, discovery)
        return
    hidden = is_hidden(parts[-1])
    if len(parts) < 3:
        discovery.ignored.append((_printable(relative), OUTSIDE_A_TABLE))
        return
    name = folders.get((parts[0], parts[1]))
    if name is None and all(parts[0] != source for source, _ in folders):
        return
    stray = f"{parts[0]}/{parts[1]}"
    file = HIDDEN if hidden else _landed_file(path, relative)
    if isinstance(file, str):
        ignored = discovery.ignored if name else discovery.strays_ignored.setdefault(stray, [])
        ignored.append((_printable(relative), file))
    elif name is None:
        discovery.strays.setdefault(stray, []).append(file)
    else:
        discovery.files[name].append(file)


def _refuse_folder(path: str, relative: str, folders: dict[tuple[str, str], str], discovery: Discovery) -> None:
    """Adds a folder that another format owns, as an unreadable file, to each table whose files it holds or whose folder it is in."""
    refusal = _owner(path, os.listdir(path)) or ""
    stray = "/".join(relative.split("/")[:2])
    discovery.strays_ignored.setdefault(stray, []).append((_printable(relative), f"it {refusal}"))
    for folder, name in folders.items():
        table = "/".join(folder)
        is_above = relative == "." or table.startswith(f"{relative}/")
        if is_above or relative == table or relative.startswith(f"{table}/"):
            place = _printable(table if relative == "." else relative)
            discovery.files[name].append(LandedFile(path, place, 0, 0, refusal))


def _landed_file(path: str, relative: str) -> LandedFile | str:
    """The file, or the reason why it cannot be landed."""
    if is_unfinished(relative):
        return UNFINISHED
    if _printable(relative) != relative:
        return "its name is not UTF-8; rename it"
    try:
        status = os.stat(path)
    except OSError as error:
        return f"it cannot be looked at ({error.strerror})"
    if not stat.S_ISREG(status.st_mode):
        return "it is not a regular file"
    return LandedFile(path, relative, status.st_size, status.st_mtime_ns)


def _unknown_folders(root: str, folders: dict[tuple[str, str], str], routed: Collection[str]) -> Iterator[str]:
    """One sentence per folder whose files fill no raw table, with the allowed names. The folders in `routed` do fill tables."""
    sources = sorted({source for source, _ in folders})
    for source in _subfolders(root):
        if source not in sources:
            if _holds_files(os.path.join(root, source)):
                yield unknown_source(_printable(source), sources)
            continue
        tables = sorted(table for known, table in folders if known == source)
        for table in _subfolders(os.path.join(root, source)):
            is_known = table in tables or f"{source}/{table}" in routed
            if not is_known and _holds_files(os.path.join(root, source, table)):
                yield unknown_table(source, _printable(table), tables)


def _holds_files(folder: str) -> bool:
    """Whether a folder has files at any depth: visible ones, or hidden ones that may be meant to be read."""
    for inner, subfolders, names in os.walk(folder):
        hidden = [name for name in subfolders if is_hidden(name)]
        if any(format_of(name) or not is_hidden(name) for name in names):
            return True
        if any(not is_working_folder(name) and _holds_data(os.path.join(inner, name)) for name in hidden):
            return True
        subfolders[:] = [name for name in subfolders if name not in hidden]
    return False


def _subfolders(folder: str) -> list[str]:
    """Names of the visible folders directly below `folder`, sorted."""
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir() and not is_hidden(entry.name))


def _relative(root: str, path: str) -> str:
    """The path below `root`, with forward slashes."""
    return os.path.relpath(path, root).replace(os.sep, "/")


def _printable(name: str) -> str:
    """The name as text that can be stored and logged, whatever its bytes."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
