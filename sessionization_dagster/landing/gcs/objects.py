"""Which objects of a bucket are raw files, and which raw table each belongs to. Works on names only: lists in, lists out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sessionization_dagster.landing.names import (
    EXPECTED_LAYOUT,
    HIDDEN,
    OUTSIDE_A_TABLE,
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
from sessionization_dagster.landing.tables import LandingError, RawTable


@dataclass(frozen=True)
class Bucket:
    """Where the raw files are: the name of the bucket, and of the folder with a slash at its end, or an empty text."""

    name: str
    prefix: str

    @classmethod
    def of(cls, url: str) -> Bucket:
        """The place that gs://bucket/prefix names."""
        name, _, prefix = url.removeprefix("gs://").partition("/")
        prefix = prefix.strip("/")
        return cls(name, f"{prefix}/" if prefix else "")

    def __str__(self) -> str:
        return f"gs://{self.name}/{self.prefix}"


@dataclass(frozen=True)
class StoredObject:
    """An object as the bucket lists it. Each write of a name makes a new generation."""

    name: str
    generation: int
    size_bytes: int


@dataclass(frozen=True)
class RawFile:
    """An object that is a raw file.

    Attributes:
        stored: the object.
        source_file: its name below the prefix. It identifies the file in the ledger.
        refusal: why it cannot be read because of its place.
    """

    stored: StoredObject
    source_file: str
    refusal: str | None = None

    def key(self, bucket: Bucket, table: str) -> str:
        """A key for this generation of the file in this table, used in names of jobs and scratch tables."""
        parts = "\0".join((bucket.name, self.stored.name, str(self.stored.generation), table))
        return hashlib.sha256(parts.encode()).hexdigest()[:32]


@dataclass
class Discovery:
    """The content of the bucket.

    Attributes:
        files: by raw table name, each sorted by name.
        ignored: (name below the prefix, reason) of all other objects.
        unknown_folders: sentences about folders that belong to no table.
    """

    files: dict[str, list[RawFile]]
    ignored: list[tuple[str, str]] = field(default_factory=list)
    unknown_folders: list[str] = field(default_factory=list)


def discover(bucket: Bucket, objects: Iterable[StoredObject], tables: Sequence[RawTable]) -> Discovery:
    """Assigns the objects below the bucket's prefix to their tables.

    Raises LandingError if there is no file for any of `tables`: a mistyped prefix must not look like one whose files were all
    removed.
    """
    discovery = Discovery({table.name: [] for table in tables})
    folders = folders_of(tables)
    strange: set[tuple[str, str]] = set()
    listed = sorted(objects, key=lambda stored: stored.name)
    owned = _owned_folders(bucket, listed)
    for stored in listed:
        relative = stored.name.removeprefix(bucket.prefix)
        parts = relative.split("/")
        owner = next((folder for folder in owned if f"{relative}/".startswith(folder)), None)
        if owner is not None:
            if not _refuse(stored, owner, owned[owner], folders, discovery.files):
                strange.add((parts[0], parts[1]))
            continue
        # A name that ends with a slash is a folder that somebody made in the console.
        if not parts[-1]:
            continue
        if any(is_hidden(part) for part in parts):
            _note_hidden(parts, folders, discovery.ignored, strange)
            continue
        name = folders.get((parts[0], parts[1])) if len(parts) > 2 else None
        if len(parts) < 3:
            discovery.ignored.append((relative, OUTSIDE_A_TABLE))
        elif name is None:
            strange.add((parts[0], parts[1]))
        else:
            _place(stored, relative, discovery.files[name], discovery.ignored)
    discovery.unknown_folders += _unknown_folders(strange, folders)
    if not any(discovery.files.values()):
        hints = "".join(f"; {text}" for text in discovery.unknown_folders)
        raise LandingError(
            f"{bucket} holds no data file for {', '.join(discovery.files) or 'any table'}; expected {EXPECTED_LAYOUT}{hints}. "
            "Nothing was changed: put the files there, or correct SESSIONIZATION_LANDING"
        )
    return discovery


def _owned_folders(bucket: Bucket, objects: Sequence[StoredObject]) -> dict[str, str]:
    """Folder with a slash at its end -> why no object below it can be read, for folders that another format owns."""
    owned: dict[str, str] = {}
    for stored in objects:
        parts = stored.name.removeprefix(bucket.prefix).split("/")
        for depth, part in enumerate(parts[:-1]):
            refusal = owner_of([part], parts[depth + 1 :] if part == "metadata" and depth == len(parts) - 2 else ())
            if refusal is not None:
                owned.setdefault("".join(f"{outer}/" for outer in parts[:depth]), refusal)
                break
    return owned


def _refuse(
    stored: StoredObject,
    folder: str,
    refusal: str,
    folders: Mapping[tuple[str, str], str],
    files: dict[str, list[RawFile]],
) -> bool:
    """Adds a folder that another format owns, once and as an unreadable file, to each table that it holds objects of.

    Returns whether there is such a table.
    """
    is_of_table = False
    for (source, table), name in folders.items():
        place = f"{source}/{table}/"
        if not folder.startswith(place) and not place.startswith(folder):
            continue
        is_of_table = True
        shown = max(folder, place, key=len).rstrip("/")
        if all(file.source_file != shown for file in files[name]):
            # The folder has the generation of its first object. Other changes below it do not matter.
            files[name].append(RawFile(stored, shown, refusal))
    return is_of_table


def _place(stored: StoredObject, relative: str, files: list[RawFile], ignored: list[tuple[str, str]]) -> None:
    if is_unfinished(relative):
        ignored.append((relative, UNFINISHED))
    elif "*" in stored.name:
        ignored.append((relative, "its name has a *, which a load job takes for any text; rename it"))
    else:
        files.append(RawFile(stored, relative))


def _note_hidden(
    parts: list[str],
    folders: Mapping[tuple[str, str], str],
    ignored: list[tuple[str, str]],
    strange: set[tuple[str, str]],
) -> None:
    """Notes a hidden file, or the outermost hidden folder in a table's folder that it is in, if it may be data."""
    depth = next(place for place, part in enumerate(parts) if is_hidden(part))
    is_data = format_of(parts[-1]) is not None and not any(is_working_folder(part) for part in parts[:-1])
    # A hidden folder in the place of a source or a table was hidden on purpose.
    if not is_data or (depth < 2 and depth < len(parts) - 1):
        return
    note = ("/".join(parts[: depth + 1]), HIDDEN)
    if len(parts) < 3:
        ignored.append(("/".join(parts), OUTSIDE_A_TABLE))
    elif (parts[0], parts[1]) not in folders:
        strange.add((parts[0], parts[1]))
    # Names are sorted, so files of a folder follow each other.
    elif ignored[-1:] != [note]:
        ignored.append(note)


def _unknown_folders(strange: Iterable[tuple[str, str]], folders: Mapping[tuple[str, str], str]) -> Iterator[str]:
    """One sentence per folder whose files fill no raw table."""
    sources = sorted({source for source, _ in folders})
    named = set()
    for source, table in sorted(strange):
        if source in sources:
            yield unknown_table(source, table, sorted(known for of, known in folders if of == source))
        elif source not in named:
            named.add(source)
            yield unknown_source(source, sources)
