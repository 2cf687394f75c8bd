"""Landing folders that change at random between landings: every row is loaded, rejected, or its file is named by a check."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from sessionization_dagster.landing import RemovedFiles
from tests.landing.accounted_folders import landings
from tests.landing.conftest import Case
from tests.landing.declared import declared_tables
from tests.landing.fuzzed_folders import TABLES, sound_folder

#: Some 0.4 seconds each on a slow core.
SEEDS = range(24)
#: A landing's time is that of planning statements, which grows with the columns: these are enough to fill rows in every way.
COLUMNS = ("event", "event_name", "user_id", "anonymous_id", "title", "received_at")
DECLARED = [
    replace(table, columns=tuple(column for column in table.columns if column.required or column.name in COLUMNS))
    for table in declared_tables(*TABLES)
    if table.table in TABLES[table.source]
]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_row_of_a_changed_folder_is_loaded_or_named(case: Case, seed: int) -> None:
    chance = random.Random(seed)
    sources = chance.sample(list(TABLES), 2)
    case.tables = [table for table in DECLARED if table.source in sources]
    case.removed = chance.choice(list(RemovedFiles))
    folder = sound_folder(chance, sources, f"seed {seed}")
    for _ in landings(case, folder, chance.randrange(1, 4)):
        pass
