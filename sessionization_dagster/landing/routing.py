"""Which tables a file of raw calls fills: all tables of its source that take calls, wherever in the source's folder the file is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sessionization_dagster.landing.calls import is_call
from sessionization_dagster.landing.data_file import Calls, LandedFile
from sessionization_dagster.landing.file_errors import UnreadableFile
from sessionization_dagster.landing.formats import recognised
from sessionization_dagster.landing.tables import RawTable


def route_calls(
    files: dict[str, list[LandedFile]], strays: Mapping[str, list[LandedFile]], tables: Sequence[RawTable]
) -> set[str]:
    """Adds each file of calls to all tables of its source that take calls. Returns the folders of `strays` that hold calls.

    `files` and `strays` are those of a Discovery. Each table has a ledger of its own, so the rows of a changed or removed file are
    removed from all of them.
    """
    routed = set(strays)
    for source in {table.source for table in tables}:
        takers = [table for table in tables if table.source == source and table.call]
        plain: dict[str, list[LandedFile]] = {table.name: [] for table in takers}
        calls: list[tuple[str, LandedFile]] = []
        for table in takers:
            for file in files[table.name]:
                if _are_calls(file):
                    calls.append((table.name, file))
                else:
                    plain[table.name].append(file)
        for folder in [folder for folder in strays if folder.split("/")[0] == source]:
            if takers and any(map(_are_calls, strays[folder])):
                # The table of track calls answers for files that are in no table's folder. What is no calls there is named file by file.
                home = next((table for table in takers if table.call == "track"), takers[0])
                calls += [(home.name, file) for file in strays[folder]]
            else:
                routed.discard(folder)
        types = frozenset(table.call for table in takers if table.call)
        for table in takers:
            routes = [replace(file, calls=Calls(table.name == home, types)) for home, file in calls]
            files[table.name] = sorted([*plain[table.name], *routes], key=lambda file: file.source_file)
    return routed


def _are_calls(file: LandedFile) -> bool:
    """Whether the file's first record is a raw call."""
    try:
        return file.refusal is None and is_call(recognised(file).first)
    except UnreadableFile:
        return False
