"""Landing folders with several sources, and random changes of them: what a person, a disk or another tool may do. No warehouse."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import random
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Row = dict[str, Any]

VENDOR = ("tracks", "pages", "screens", "identifies", "aliases")
TABLES = {
    "rudderstack": ("tracks", "pages", "aliases"),
    "segment": ("tracks", "pages", "aliases"),
    "mixpanel": ("events",),
    "measure_js": ("events",),
}
ENDINGS = ("", ".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet", ".txt", ".dat", ".CSV", ".JSONL", ".gz", ".1")
FORMATS = ("csv", "tsv", "jsonl", "json", "parquet")
#: Folder names that nearly match, and some that match another table.
SOURCE_NAMES = (
    "Rudderstack",
    "rudder_stack",
    "segment ",
    "SEGMENT",
    "segment",
    "mixpanel",
    "rudderstack",
    "measure-js",
    "archive",
)
TABLE_NAMES = (
    "Tracks",
    "track",
    "tracks ",
    "event",
    "Events",
    "page",
    "pages",
    "tracks",
    "screens",
    "calls",
    "dt=2024-03-04",
    "new folder",
)
PARTS = (
    "dt=2024-03-04",
    "dt=__HIVE_DEFAULT_PARTITION__",
    "user_id=ann%20b",
    "event=signup",
    "mark2=x",
    "2024",
    "a b",
    "price=",
)
MARKERS = ("_delta_log/00.json", ".hoodie/hoodie.properties", "_hudi/x", "metadata/v1.metadata.json")
#: Spellings of keys and columns, some of which are the declared ones to the landing.
SPELLINGS: tuple[Callable[[str], str], ...] = (
    str.upper, str.title, lambda name: name.replace("_", ""), lambda name: name.replace("_", " "), lambda name: f" {name}",
    lambda name: name.split("_")[0] + name.title().replace("_", "")[len(name.split("_")[0]):], lambda name: f"{name}_old",
)  # fmt: skip


@dataclass
class File:
    """One data file: its rows, and how they are written. A row is found again by its mark.

    Attributes:
        folder: below the landing folder.
        name: with its ending.
        rows: as JSON has them; csv and parquet have their keys as columns.
        format: one of FORMATS.
        zipped: whether the bytes are gzipped, whatever the name.
        encoding: of text.
    """

    folder: str
    name: str
    rows: list[Row]
    format: str = "csv"
    zipped: bool = False
    encoding: str = "utf-8"

    @property
    def path(self) -> str:
        """Below the landing folder."""
        return f"{self.folder}/{self.name}" if self.folder else self.name

    @property
    def marks(self) -> list[str]:
        """The marks of its rows."""
        return [row.get("mark") or row["properties"]["mark"] for row in self.rows]

    @property
    def is_flat(self) -> bool:
        """Whether its rows may be written as csv or parquet."""
        return all(isinstance(value, str) for row in self.rows for value in row.values())

    def content(self) -> bytes:
        """The file's bytes."""
        data = self._parquet() if self.format == "parquet" else self._text().encode(self.encoding, "replace")
        return gzip.compress(data, mtime=0) if self.zipped else data

    def _columns(self) -> list[str]:
        return list(dict.fromkeys(name for row in self.rows for name in row))

    def _parquet(self) -> bytes:
        out = io.BytesIO()
        pq.write_table(pa.table({name: [row.get(name) for row in self.rows] for name in self._columns()}), out)
        return out.getvalue()

    def _text(self) -> str:
        if self.format == "jsonl":
            return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in self.rows)
        if self.format == "json":
            return json.dumps(self.rows, ensure_ascii=False)
        out = io.StringIO()
        writer = csv.writer(out, delimiter="\t" if self.format == "tsv" else ",", lineterminator="\n")
        writer.writerow(self._columns())
        writer.writerows([row.get(name, "") for name in self._columns()] for row in self.rows)
        return out.getvalue()


@dataclass
class Folder:
    """A landing folder that is changed. `markers` are paths of files by which another format says that a folder is its own."""

    files: list[File]
    chance: random.Random
    markers: set[str] = field(default_factory=set)
    log: list[str] = field(default_factory=list)
    sources: Sequence[str] = tuple(TABLES)
    count: int = 0
    _step: int = 0

    def change(self) -> None:
        """One change at random. Not each can be made in every folder."""
        name = self.chance.choice(list(CHANGES))
        before = deepcopy(self.files)
        said = CHANGES[name](self)
        if self._is_possible() and said:
            self.log.append(f"{name}: {said}")
        else:
            self.files = before

    def _is_possible(self) -> bool:
        """Whether no place is that of two files, or of a file and a folder."""
        paths = [file.path for file in self.files] + sorted(self.markers)
        folders = {str(folder) for path in paths for folder in PurePosixPath(path).parents}
        return bool(self.files) and len(set(paths)) == len(paths) and folders.isdisjoint(paths)

    def shown(self, *problems: str) -> str:
        """The problems, and how the folder came to be as it is."""
        return "\n".join([*self.log, *problems])

    def some(self, fits: Callable[[File], bool] = lambda file: True) -> File | None:
        """One of the files."""
        found = [file for file in self.files if fits(file)]
        return self.chance.choice(found) if found else None

    def move(self, file: File, folder: str, name: str) -> str | None:
        """Give a file another place."""
        before, file.folder, file.name = file.path, folder, name
        return None if before == file.path else f"{before} -> {file.path}"

    def move_all(self, before: str, after: str) -> str:
        """Give a folder another name."""
        for file in self.files:
            if f"{file.folder}/".startswith(f"{before}/"):
                file.folder = after + file.folder.removeprefix(before)
        return f"{before} -> {after}"

    def add(self) -> str:
        """A new file that nothing is wrong with."""
        source = self.chance.choice(self.sources)
        self.count += 1
        file = sound(source, self.chance.choice(TABLES[source]), self.count, self.chance)
        self.files.append(file)
        return file.path

    def write(self, root: Path) -> None:
        """Make the folder on disk this one. What is as it was keeps its time."""
        self._step += 1
        wanted = {file.path: file.content() for file in self.files} | dict.fromkeys(self.markers, b"{}")
        for path in [path for path in root.rglob("*") if path.is_file()]:
            if path.relative_to(root).as_posix() not in wanted:
                path.unlink()
        for inner, _, _ in os.walk(root, topdown=False):
            if not os.listdir(inner):
                os.rmdir(inner)
        for name, content in wanted.items():
            path = root / name
            if path.is_file() and path.read_bytes() == content:
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            os.utime(path, ns=(0, (1_700_000_000 + self._step) * 10**9))


def sound_folder(chance: random.Random, sources: Sequence[str], name: str) -> Folder:
    """Some tables of these sources, and raw calls, with a few rows each. name: what failures call it."""
    folder = Folder([], chance, sources=sources, log=[name])
    for _ in range(chance.randrange(3, 7)):
        folder.add()
    return folder


def sound(source: str, table: str, number: int, chance: random.Random) -> File:
    """A file of a table that nothing is wrong with; now and then one of raw calls, or as Mixpanel exports them."""
    places = range(chance.randrange(1, 4))
    if table in VENDOR and chance.random() < 0.25:
        rows = [_call(chance.choice(VENDOR), f"{number} {place}") for place in places]
        place = chance.choice((table, "calls", "calls/2024"))
        return File(f"{source}/{place}", f"{number}.jsonl", rows, "jsonl")
    rows = [_row(source, table, f"{number} {place}", chance) for place in places]
    form = chance.choice(FORMATS)
    if source == "mixpanel" and chance.random() < 0.4:
        rows, form = [{"event": row.pop("event"), "properties": row} for row in rows], "jsonl"
    below = chance.choice(("", "", "/2024", "/dt=2024-03-04"))
    return File(f"{source}/{table}{below}", f"{number}.{form}", rows, form)


def _row(source: str, table: str, mark: str, chance: random.Random) -> Row:
    minute = chance.randrange(60)
    at = f"2024-03-04T10:{minute:02}:00Z"
    # No letter beyond ASCII in some files, so that every encoding can be read.
    title = chance.choice(("Grüße", "Hello", 'a, "b"\tc'))
    if source == "mixpanel":
        return {
            "insert_id": f"i {mark}",
            "distinct_id": "d",
            "time": at,
            "event": "seen",
            "current_url": title,
            "mark": mark,
        }
    if source == "measure_js":
        own = {"event_id": f"i {mark}"} if chance.random() < 0.5 else {}
        return {"timestamp": at, "event_name": "pageview", "client_id": "d", **own, "url": title, "mark": mark}
    row = {"id": f"i {mark}", "timestamp": at, "received_at": at, "anonymous_id": "d", "user_id": "u", "mark": mark}
    own = {"tracks": {"event": "seen", "context_page_title": title}, "aliases": {"previous_id": "d"}}.get(table, {})
    return {**row, **own, **({"title": title} if table in ("pages", "screens") else {})}


def _call(table: str, mark: str) -> Row:
    kind = {"tracks": "track", "pages": "page", "screens": "screen", "identifies": "identify", "aliases": "alias"}[
        table
    ]
    own = {"event": "seen"} if kind == "track" else {"previousId": "p", "userId": "u"} if kind == "alias" else {}
    at = "2024-03-04T10:00:00Z"
    return {
        "messageId": f"i {mark}",
        "type": kind,
        "timestamp": at,
        "anonymousId": "d",
        "properties": {"mark": mark},
        **own,
    }


def _remove(folder: Folder) -> str | None:
    file = folder.chance.choice(folder.files)
    folder.files.remove(file)
    return file.path


def _remove_some(folder: Folder) -> str | None:
    """A disk that is not there."""
    top = folder.chance.choice(folder.files).folder.split("/")[0]
    folder.files = [file for file in folder.files if file.folder.split("/")[0] != top]
    return top


def _empty(folder: Folder) -> str | None:
    file = folder.some()
    if file is None:
        return None
    file.rows, file.format, file.zipped, file.encoding = [], "jsonl", False, "utf-8"
    return file.path


def _drop_name(folder: Folder) -> str | None:
    """A column of all rows, or a key of one."""
    file = folder.some(lambda file: bool(file.rows))
    if file is None:
        return None
    name = folder.chance.choice(list(file.rows[0]))
    if name in ("mark", "properties"):
        return None
    whole = file.format not in ("jsonl", "json") or folder.chance.random() < 0.5
    for row in file.rows if whole else file.rows[:1]:
        row.pop(name, None)
    return f"{name} of {file.path}"


def _rename_name(folder: Folder) -> str | None:
    file = folder.some(lambda file: bool(file.rows))
    if file is None:
        return None
    name, spell = folder.chance.choice(list(file.rows[0])), folder.chance.choice(SPELLINGS)
    if name in ("mark", "properties"):
        return None
    for row in file.rows:
        if name in row and spell(name) not in row:
            row[spell(name)] = row.pop(name)
    return f"{name} of {file.path} is {spell(name)!r}"


def _rename_source(folder: Folder) -> str | None:
    before = folder.chance.choice(folder.files).folder.split("/")[0]
    return folder.move_all(before, folder.chance.choice(SOURCE_NAMES)) if before else None


def _rename_table(folder: Folder) -> str | None:
    parts = folder.chance.choice(folder.files).folder.split("/")
    return (
        folder.move_all("/".join(parts[:2]), f"{parts[0]}/{folder.chance.choice(TABLE_NAMES)}")
        if len(parts) > 1
        else None
    )


def _move_up(folder: Folder) -> str | None:
    file = folder.some(lambda file: bool(file.folder))
    return folder.move(file, file.folder.rpartition("/")[0], file.name) if file else None


def _move_to(folder: Folder) -> str | None:
    """Into the folder of another file."""
    file, other = folder.some(), folder.some()
    return folder.move(file, other.folder, file.name) if file and other else None


def _rename_ending(folder: Folder) -> str | None:
    file = folder.some()
    return folder.move(file, file.folder, file.name.split(".")[0] + folder.chance.choice(ENDINGS)) if file else None


def _zip(folder: Folder) -> str | None:
    file = folder.some(lambda file: bool(file.rows))
    if file is None:
        return None
    file.zipped = not file.zipped
    named = folder.move(file, file.folder, f"{file.name}.gz") if folder.chance.random() < 0.5 else None
    return named or file.path


def _reencode(folder: Folder) -> str | None:
    file = folder.some(lambda file: bool(file.rows) and file.format != "parquet")
    if file is None:
        return None
    file.encoding = folder.chance.choice(("utf-8-sig", "utf-16", "utf-16-le", "latin-1"))
    return f"{file.path} as {file.encoding}"


def _reformat(folder: Folder) -> str | None:
    """As other rows of the same: lines to an array, csv to parquet. The name stays."""
    file = folder.some(lambda file: bool(file.rows))
    if file is None:
        return None
    file.format = folder.chance.choice(FORMATS if file.is_flat else ("jsonl", "json"))
    return f"{file.path} as {file.format}"


def _deepen(folder: Folder) -> str | None:
    """A folder more on the way to a file."""
    file = folder.some(lambda file: bool(file.folder))
    if file is None:
        return None
    parts = file.folder.split("/")
    place = folder.chance.randrange(min(2, len(parts)), len(parts) + 1)
    parts.insert(place, folder.chance.choice((*PARTS, "_old", ".backup")) if place > 1 else "2024")
    return folder.move(file, "/".join(parts), file.name)


def _hide(folder: Folder) -> str | None:
    file = folder.some()
    return folder.move(file, file.folder, folder.chance.choice("._") + file.name) if file else None


def _unfinish(folder: Folder) -> str | None:
    file = folder.some()
    if file is None:
        return None
    return folder.move(file, file.folder, file.name + folder.chance.choice((".tmp", ".part", "~", ".bak")))


def _mark(folder: Folder) -> str | None:
    parts = folder.chance.choice(folder.files).folder.split("/")
    place = "/".join(parts[: folder.chance.randrange(1, len(parts) + 1)])
    marker = f"{place}/{folder.chance.choice(MARKERS)}".lstrip("/")
    folder.markers.add(marker)
    return marker


def _unmark(folder: Folder) -> str | None:
    for marker in sorted(folder.markers):
        folder.markers.remove(marker)
        return marker
    return None


def _pour(folder: Folder) -> str | None:
    """The rows of one file behind those of another."""
    one, other = folder.some(), folder.some()
    if one is None or other is None or one is other or not one.rows:
        return None
    if not other.is_flat and one.format not in ("jsonl", "json"):
        one.format = "jsonl"
    one.rows += other.rows
    folder.files.remove(other)
    return f"{other.path} into {one.path}"


CHANGES: dict[str, Callable[[Folder], str | None]] = {
    "add": Folder.add,
    "remove": _remove,
    "remove a source": _remove_some,
    "empty": _empty,
    "drop a name": _drop_name,
    "rename a name": _rename_name,
    "rename a source's folder": _rename_source,
    "rename a table's folder": _rename_table,
    "move up": _move_up,
    "move": _move_to,
    "rename the ending": _rename_ending,
    "zip": _zip,
    "encode": _reencode,
    "format": _reformat,
    "deepen": _deepen,
    "hide": _hide,
    "unfinished": _unfinish,
    "mark": _mark,
    "unmark": _unmark,
    "pour": _pour,
}


def left_to_other_tools(path: str) -> bool:
    """Whether a file is passed over without a word, as README.md says: markers, and whatever lies in hidden folders above tables."""
    *folders, name = PurePosixPath(path).parts
    hidden = [part for part in (*folders, name) if part.startswith((".", "_"))]
    data = any(
        name.lower().removesuffix(".gz").endswith(ending.lower())
        for ending in (".parquet", ".csv", ".tsv", ".jsonl", ".ndjson", ".json")
    )
    return bool(hidden) and not data
