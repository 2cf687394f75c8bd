"""A copy of the dbt project together with the deployment's own models, in a folder that may be written.

dbt writes into the folder of its project and reads models only from there. The folder of an installed package suits neither.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from sessionization_dagster.disk import write_whole
from sessionization_dagster.errors import SettingsError

#: Folders that dbt makes.
OWN_FOLDERS = ("target", "logs")
#: The folders that a deployment's own folder may have.
PARTS = ("models", "macros", "seeds", "tests", "analyses")


def working_copy(project_dir: Path, own: Path | None, copy: Path) -> Path:
    """Make the copy hold the project's files, the own files, and what dbt made, and nothing else. Unchanged files are not written again.

    An own seed takes the place of the project's seed of the same name, wherever in the folder of seeds it lies.

    Raises:
        SettingsError: the own folder does not exist, has nothing that dbt reads, has another file that the project has too, or has two
            seeds that would take the same place.
    """
    files = dict(_files(project_dir))
    if own is not None:
        files |= _own_files(own, files)
    for path, source in files.items():
        content = source.read_bytes()
        if not (copy / path).exists() or (copy / path).read_bytes() != content:
            write_whole(copy / path, content)
    for path, present in dict(_files(copy)).items():
        if path not in files:
            present.unlink(missing_ok=True)
    return copy


def _own_files(own: Path, ours: dict[str, Path]) -> dict[str, Path]:
    if not own.is_dir():
        raise SettingsError(f"own_models names {own}, which is no folder.")
    files = {path: source for path, source in _files(own) if path.split(os.sep)[0] in PARTS}
    if not files:
        raise SettingsError(
            f"own_models names {own}, which has none of the folders {', '.join(PARTS)}. "
            "Lay it out like dbt_project: models/<schema>/<name>.sql."
        )
    seeds = {Path(path).name: path for path in ours if _is_seed(path)}
    placed: dict[str, Path] = {}
    for path, source in files.items():
        if path in ours and not _is_seed(path):
            raise SettingsError(f"{source} has the name of a file of the project, {path}. Give it another name.")
        place = seeds.get(source.name, path) if _is_seed(path) else path
        if place in placed:
            raise SettingsError(
                f"{own} has two seeds of the name {source.name}: {placed[place]} and {source}. Keep one."
            )
        placed[place] = source
    return placed


def _is_seed(path: str) -> bool:
    return path.split(os.sep)[0] == "seeds" and path.endswith(".csv")


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in OWN_FOLDERS and not name.startswith((".", "__"))]
        for name in names:
            path = Path(parent, name)
            yield str(path.relative_to(folder)), path
