"""The statements of two runs, caught on BigQuery's emulator: an ordinary day, and a day on which a device of long ago logs in.

The tables hold few rows, but those days of history that decide how far back statements look: the first day, and the last ones.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from sessionization_dagster.dbt.manifest import Table
from sessionization_dagster.report.answers import answers_until
from sessionization_dagster.warehouses import bigquery
from tests.bigquery.driver import BigQueryDriver, recorded
from tests.bigquery.emulator import PROJECT, emulator
from tests.oracle.model import RawRow, Settings

FIRST_DAY = date(2024, 1, 1)
#: The days before the ordinary one that have events too: checks look back at them, and sessions may be open.
RECENT_DAYS = 3
#: A slow machine's emulator answers after a minute.
REQUEST_SECONDS = 300


@dataclass(frozen=True)
class Caught:
    """What was sent, and to which tables.

    Attributes:
        days: of history, the ordinary day included.
        whole: statements that made the tables.
        ordinary: of the ordinary day's run.
        checks: of the checks on it.
        login: of the run of the day after it.
        report: of the report on the days until the ordinary one.
        tables: columns and their types by project.dataset.table, without the tables that a run keeps for itself.
        grains: what a row is by project.dataset.table, as the models' yml says.
        models: project.dataset.table by the model's name.
    """

    days: int
    whole: list[str]
    ordinary: list[str]
    checks: list[str]
    login: list[str]
    report: list[str]
    tables: dict[str, dict[str, str]]
    grains: dict[str, str]
    models: dict[str, str]

    @property
    def ordinary_day(self) -> date:
        """The day of the ordinary run."""
        return FIRST_DAY + timedelta(days=self.days - 1)

    def write(self, path: Path) -> None:
        """As JSON."""
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> Caught:
        """What write wrote."""
        return cls(**json.loads(path.read_text()))


def catch(days: int) -> Caught:
    """Run the days on an emulator of its own; takes some minutes.

    Raises:
        RuntimeError: the emulator is not installed, or does not start.
    """
    bigquery.REQUEST_SECONDS = REQUEST_SECONDS
    bigquery.RETRY = bigquery.RETRY.with_timeout(REQUEST_SECONDS)
    ordinary = FIRST_DAY + timedelta(days=days - 1)
    with tempfile.TemporaryDirectory() as folder, emulator(Path(folder) / "log.txt") as endpoint:
        driver = BigQueryDriver(endpoint, Settings(), max_lateness_days=7, is_divided=True, families=())
        driver.land(_rows(ordinary))
        with recorded() as whole:
            driver.run(FIRST_DAY, FIRST_DAY)
            driver.run(ordinary - timedelta(days=RECENT_DAYS), ordinary - timedelta(days=1))
        with recorded() as of_day:
            driver.run(ordinary, ordinary)
        with recorded() as checks:
            driver.run_tests(ordinary, ordinary)
        with recorded() as report, driver.warehouse.connect() as connection:
            answers_until(connection, ordinary + timedelta(days=1), (FIRST_DAY, ordinary))
        with recorded() as login:
            driver.run(ordinary + timedelta(days=1), ordinary + timedelta(days=1))
        tables = driver.columns()
    manifest = driver.project.manifest
    grains = {_place(table): table.grain for table in manifest.tables.values() if table.grain is not None}
    models = {model.name: _place(model) for model in manifest.models}
    return Caught(days, whole, of_day, checks, login, report, tables, grains, models)


def _place(table: Table) -> str:
    return ".".join((PROJECT, *table.place))


def _rows(ordinary: date) -> list[RawRow]:
    """One visitor a day who comes again the day after; and a device of the first day, whose owner logs in after the ordinary day."""
    calls = [_call("long ago", FIRST_DAY), _call("long ago", ordinary + timedelta(days=1), user="anna")]
    for back in range(-1, RECENT_DAYS + 1):
        day = ordinary - timedelta(days=back)
        calls += [_call(f"visitor {back}", day), _call(f"visitor {back - 1}", day)]
    return calls


def _call(device: str, day: date, user: str | None = None) -> RawRow:
    noon = datetime.combine(day, datetime.min.time()) + timedelta(hours=12)
    return RawRow(
        table="tracks", source="rudderstack", id=f"{day} {device}", anonymous_id=device, user_id=user, timestamp=noon,
        received_at=noon, event="product_view",
    )  # fmt: skip
