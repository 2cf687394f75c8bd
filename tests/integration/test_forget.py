"""The job forget_visitor on files of every format and all sources: nothing names the person afterwards, and everybody else is as before."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sessionization_dagster.cli.dagster_home import prepare_instance_home
from tests.integration.real_job import QUIET, Project
from tests.integration.services import PATIENCE_SECONDS

ROOT = Path(__file__).resolve().parents[2]
FIRST, LAST = date(2024, 3, 9), date(2024, 3, 13)
SOURCES = "rudderstack,segment,mixpanel,measure_js"
PHONE, LAPTOP = "device-6b1f3c52-94a1", "device-77aa0e91-c0de"
ANN, ANN_LATER = "ann.jones@example.com", "user-00918273645"
PERSON = [PHONE, LAPTOP, ANN, ANN_LATER]
TRACKS = "id,anonymous_id,user_id,timestamp,event,received_at,note"
#: Said only in rows of the person.
SECRET = "favourite-colour-of-ann-is-8f2b"


def at(day: int, hour: int, minute: int = 0) -> str:
    return f"2024-03-{day:02}T{hour:02}:{minute:02}:00Z"


def csv_text(header: str, rows: list[list[str]], line_end: str = "\r\n") -> str:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator=line_end)
    writer.writerows([header.split(","), *rows])
    return stream.getvalue()


def json_lines(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def write(path: Path, content: str | pa.Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, pa.Table):
        pq.write_table(content, path, row_group_size=2)
    else:
        path.write_bytes(gzip.compress(content.encode()) if path.name.endswith(".gz") else content.encode())


def land_all(landing: Path) -> None:
    write(landing / "rudderstack/tracks/a.csv", csv_text(TRACKS, [
        ["r1", PHONE, "", at(9, 9), "page", "", SECRET],
        ["r2", "other-1", "", at(9, 9, 5), "page", "", 'two\nlines, "quoted"'],
        ["r3", PHONE, ANN, at(9, 9, 10), "login", "", f"{SECRET}\nand more"],
        ["r4", LAPTOP, "bob", at(9, 8), "login", "", ""],
        ["r4", LAPTOP, "bob", at(9, 8), "login", "", ""],
        ["r5", "", "bob", at(9, 8, 20), "page", "", f"sent to {ANN}"],
        ["r6", PHONE, "", "", "no time", at(10, 1), SECRET],
        ["r7", "other-1", "", "", "no time", at(13, 1), ""],
        ["r8", "other-1", "", at(9, 9, 20), "page", "", "42"],
        ["r8", "other-1", "", at(9, 9, 20), "page", "", "42"],
        ["r9", PHONE, "", at(9, 9, 30), "page", "", ""],
        ["r9", PHONE, "", at(9, 9, 30), "page", "", SECRET],
    ]))  # fmt: skip
    (landing / "rudderstack/tracks/broken.csv").write_text(
        f"{TRACKS}\nq1,{PHONE},,yesterday,page,,{SECRET}\nq2,other-2,,yesterday,page,,\nq3,other-2,,{at(10, 7)},page,,fine\n"
        f"q4,7,42,soon,page,,\nq5,other-2,,soon,page,,42\nq6,{LAPTOP},{ANN},{at(10, 7)},page,,too,many\n"
    )
    (landing / "rudderstack/tracks/unreadable.csv").write_bytes(b"")
    write(
        landing / "rudderstack/tracks/only_ann.csv.gz",
        csv_text(TRACKS, [["g1", LAPTOP, ANN_LATER, at(13, 9), "page", "", ""]]),
    )
    write(landing / "rudderstack/aliases/calls.jsonl", json_lines(
        {"id": "al1", "previous_id": "other-3", "user_id": "carol", "timestamp": at(10, 10)},
        {"id": "al2", "previous_id": ANN, "user_id": ANN_LATER, "timestamp": at(10, 11)},
    ))  # fmt: skip
    write(landing / "segment/identifies/traits.jsonl.gz", json_lines(
        {"id": "i1", "anonymous_id": LAPTOP, "user_id": ANN_LATER, "timestamp": at(11, 9), "email": ANN, "name": SECRET},
        {"id": "i2", "anonymous_id": "other-4", "user_id": "dave", "timestamp": at(11, 9), "friends": ["x", {"id": ANN_LATER}]},
    ))  # fmt: skip
    write(landing / "mixpanel/events/m.jsonl", json_lines(
        {"insert_id": "m1", "distinct_id": PHONE, "user_id": None, "time": at(11, 10), "event": "play"},
        {"insert_id": "m2", "distinct_id": "7", "user_id": 42, "time": at(11, 10), "event": "play", "n": 1},
        {"insert_id": "m3", "distinct_id": "7", "user_id": "erin", "time": at(10, 10), "event": "play", "n": 42},
        {"insert_id": "m4", "distinct_id": "other-5", "user_id": None, "time": at(11, 11), "event": "42"},
        {"insert_id": None, "distinct_id": "other-5", "user_id": None, "time": at(13, 8), "event": "no id"},
    ))  # fmt: skip
    rows = [
        (PHONE, None, 9, "pageview"), ("other-1", None, 9, "pageview"), (LAPTOP, ANN, 12, "pageview"),
        ("other-6", "frank", 12, "pageview"), ("other-6", "frank", 12, "pageview"),
    ]  # fmt: skip
    write(landing / "measure_js/events/nested.parquet", pa.table({
        "timestamp": pa.array([datetime(2024, 3, day, 12) for _, _, day, _ in rows], pa.timestamp("us")),
        "event_name": [name for *_, name in rows],
        "client_id": pa.array([client for client, *_ in rows]).dictionary_encode(),
        "user_id": [user for _, user, *_ in rows],
        "device": [{"type": "phone", "os": "x", "seen": [PHONE]} for _ in rows],
    }))  # fmt: skip


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    """An instance as `make ui` has it, on disk."""
    home = tmp_path_factory.mktemp("dagster")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("DAGSTER_HOME", str(home))
        patched.setenv("DAGSTER_EVENT_BATCH_SIZE", "1000")
        prepare_instance_home()
        with dg.DagsterInstance.get() as local:
            yield local


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, instance: dg.DagsterInstance) -> Path:
    """The folder of a project that has run all days."""
    folder = tmp_path_factory.mktemp("base")
    made = project(folder, instance)
    land_all(made.environment.landing)
    made.run(FIRST, LAST)
    return folder


@dataclass
class Erased:
    """The project after the person's erasure, with what there was before."""

    project: Project
    folder: Path
    planned: dict[str, Any]
    done: dict[str, Any]
    landed: dict[str, bytes]
    others: list[dict[str, Any]]
    digest: object


@pytest.fixture(scope="module")
def erased(base: Path, tmp_path_factory: pytest.TempPathFactory, instance: dg.DagsterInstance) -> Erased:
    folder = tmp_path_factory.mktemp("erased")
    made = copy_of(base, folder, instance)
    aliases = f"""
        select alias from core.identity_graph
        where dbt_visitor_id in (select dbt_visitor_id from core.identity_graph where alias = '{PHONE}')"""
    assert {row["alias"] for row in made.query(aliases)} == set(PERSON)
    before, landed, others = made.digest(), files_of(made.environment.landing), others_rows(made)
    planned = shown(forget(made, folder, LAPTOP, dry_run=True))
    assert made.digest() == before
    assert files_of(made.environment.landing) == landed
    done = shown(forget(made, folder, LAPTOP))
    return Erased(made, folder, planned, done, landed, others, made.digest())


def copy_of(base: Path, folder: Path, instance: dg.DagsterInstance) -> Project:
    shutil.copytree(base, folder, dirs_exist_ok=True, symlinks=True)
    return project(folder, instance)


def project(folder: Path, instance: dg.DagsterInstance) -> Project:
    first, last = FIRST.isoformat(), LAST.isoformat()
    published = str(folder / "published")
    return Project.create(folder, instance, start_date=first, end_date=last, sources=SOURCES, publish=published)


def forget(made: Project, folder: Path, identifier: str, **options: object) -> dg.ExecuteInProcessResult:
    (folder / "whom").write_text(f"{identifier}\n")
    config = {"erase_person": {"config": {"id_from_file": str(folder / "whom"), **options}}}
    job = made.definitions.resolve_job_def("forget_visitor")
    return job.execute_in_process(
        instance=made.instance,
        run_config={**QUIET, "ops": config},
        raise_on_error=False,
        tags={"user": "dpo@example.com"},
    )


def shown(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    assert result.success, [event.step_failure_data.error for event in result.all_events if event.is_step_failure]
    found: dict[str, Any] = result.output_for_node("erase_person")
    return found


def files_of(folder: Path) -> dict[str, bytes]:
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            found[path.relative_to(folder).as_posix()] = (
                gzip.decompress(content) if path.name.endswith(".gz") else content
            )
    return found


def bytes_that_name(folder: Path, texts: list[str]) -> list[str]:
    return [
        f"{name}: {text}"
        for name, content in files_of(folder).items()
        for text in texts
        if text.encode() in content and name != "whom"
    ]


def tables_that_name(made: Project, texts: list[str]) -> list[str]:
    with duckdb.connect(str(made.environment.duckdb_path), read_only=True) as connection:
        names = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() where not internal"
        ).fetchall()
        return [
            f"{name}: {text}" for (name,) in names for text in texts
            if connection.execute(f"select count(*) from {name} as t where contains(cast(t as varchar), ?)", [text]).fetchall() != [(0,)]
        ]  # fmt: skip


def published_that_name(folder: Path, texts: list[str]) -> list[str]:
    """Of every version that lies there."""
    return [
        f"{path.relative_to(folder)}: {text}" for path in (folder / "published").rglob("*.parquet") for text in texts
        if duckdb.execute(f"select 1 from '{path}' as t where contains(cast(t as varchar), ?) limit 1", [text]).fetchall()
    ]  # fmt: skip


def killed_at(point: str, made: Project, folder: Path) -> None:
    child = subprocess.run(
        [sys.executable, "-m", "tests.integration.killed_erasure", point, str(folder / "whom")],
        env={**os.environ, **made.variables, "SESSIONIZATION_SOURCES": SOURCES},
        cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    assert child.returncode == -signal.SIGKILL, child.stdout + child.stderr


def others_rows(made: Project) -> list[dict[str, Any]]:
    """What the tables say of people whose rows did not change. A measure_js row gets its id from its content."""
    return made.query("""
        select * from rudderstack.dbt_track_facts
        where dbt_visitor_id in ('other-1', 'other-2', 'carol', 'dave', 'other-5') and event_id not like 'measure_js:%'
        order by event_id, timestamp""")


def test_nothing_names_the_person_any_more(erased: Erased, instance: dg.DagsterInstance) -> None:
    assert not bytes_that_name(erased.folder, [*PERSON, SECRET])
    assert not bytes_that_name(Path(instance.root_directory), [*PERSON, SECRET])
    assert not tables_that_name(erased.project, [*PERSON, SECRET])
    assert published_that_name(erased.folder, ["carol"])
    assert not published_that_name(erased.folder, [*PERSON, SECRET])
    again = forget(erased.project, erased.folder, LAPTOP)
    (failure,) = [event.step_failure_data for event in again.all_events if event.is_step_failure]
    assert failure.error is not None
    assert "Nobody is known by the id given (20 characters" in failure.error.message
    assert not bytes_that_name(Path(instance.root_directory), PERSON)


def test_everybody_else_is_as_before(erased: Erased) -> None:
    assert len(erased.others) >= 4
    assert others_rows(erased.project) == erased.others
    landed, after = erased.landed, files_of(erased.project.environment.landing)
    assert after["rudderstack/aliases/calls.jsonl"] == landed["rudderstack/aliases/calls.jsonl"].splitlines(True)[0]
    assert after["mixpanel/events/m.jsonl"] == b"".join(landed["mixpanel/events/m.jsonl"].splitlines(True)[1:])
    rows = [
        ["r2", "other-1", "", at(9, 9, 5), "page", "", 'two\nlines, "quoted"'],
        ["r4", "", "bob", at(9, 8), "login", "", ""],
        ["r4", "", "bob", at(9, 8), "login", "", ""],
        ["r5", "", "bob", at(9, 8, 20), "page", "", "sent to "],
        ["r7", "other-1", "", "", "no time", at(13, 1), ""],
        ["r8", "other-1", "", at(9, 9, 20), "page", "", "42"],
        ["r8", "other-1", "", at(9, 9, 20), "page", "", "42"],
    ]
    assert after["rudderstack/tracks/a.csv"].decode() == csv_text(TRACKS, rows)


def test_the_audit_shows_how_much_and_not_who(erased: Erased, instance: dg.DagsterInstance) -> None:
    counts = {"aliases": 4, "raw_rows_removed": 11, "raw_rows_blanked": 7, "days_rerun": 5}
    assert {name: erased.planned[name] for name in counts} == counts
    assert {name: erased.done[name] for name in counts} == counts
    assert (erased.done["raw_rejects_removed"], erased.done["files_rewritten"]) == (2, 7)
    assert erased.planned["files"] == erased.done["files"]
    assert erased.done["unreadable_files"] == ["rudderstack/tracks/unreadable.csv"]
    (audit,) = erased.project.query("select * from monitoring.erasures")
    assert {name: value for name, value in erased.done.items() if name in audit} == {
        **audit, "erased_at": audit["erased_at"].isoformat()
    }  # fmt: skip
    assert audit["requested_by"] == "dpo@example.com"
    started = [run for run in instance.get_runs() if run.tags.get("started_by_run") == audit["run_id"]]
    assert [run.job_name for run in started] == ["daily_sessionization"]


def test_ordinary_ids_count_only_where_a_row_names_its_visitor(
    erased: Erased, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    """And what is left after two erasures is what a rebuild from the files gives."""
    made = copy_of(erased.folder, tmp_path / "second", instance)
    # Day 13 too: a rejected row there has its place in a file, which has moved.
    assert shown(forget(made, tmp_path, "42"))["days_rerun"] == 3
    events = made.query(
        "select event_id, event, alias, properties from core.events where source = 'mixpanel' order by 1"
    )
    assert [(row["event_id"], row["event"], row["alias"]) for row in events] == [
        ("mixpanel:m3", "play", "erin"), ("mixpanel:m4", "42", "other-5"),
    ]  # fmt: skip
    assert json.loads(events[0]["properties"]) == {"n": 42}
    lines = (made.environment.landing / "rudderstack/tracks/broken.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["id", "q2", "q3", "q5"]
    rebuilt = project(tmp_path / "rebuilt", instance)
    shutil.copytree(made.environment.landing, rebuilt.environment.landing)
    rebuilt.run(FIRST, LAST)
    assert made.digest() == rebuilt.digest()


def test_a_killed_erasure_is_finished_by_the_next(
    base: Path, erased: Erased, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    made = copy_of(base, tmp_path, instance)
    (tmp_path / "whom").write_text(ANN)
    for point in ("first file", "files", "tables"):
        killed_at(point, made, tmp_path)
        assert tables_that_name(made, [ANN])
    done = shown(forget(made, tmp_path, LAPTOP))
    changing = {"erased_at", "erasure_id", "run_id", "log_rows_removed"}
    assert {name: value for name, value in done.items() if name not in changing} == {
        name: value for name, value in erased.done.items() if name not in changing
    }
    assert not bytes_that_name(tmp_path, [*PERSON, SECRET])
    assert not tables_that_name(made, [*PERSON, SECRET])
    assert made.digest() == erased.digest


@pytest.mark.parametrize(
    "config", [{}, {"id": "a", "id_from_file": "b"}, {"id": "null"}, {"id_from_file": "/no/such/file"}]
)
def test_a_request_that_names_nobody_is_refused_without_a_retry(
    tmp_path: Path, instance: dg.DagsterInstance, config: dict[str, str]
) -> None:
    made = project(tmp_path, instance)
    result = made.definitions.resolve_job_def("forget_visitor").execute_in_process(
        instance=instance, run_config={**QUIET, "ops": {"erase_person": {"config": config}}}, raise_on_error=False
    )
    (failure,) = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    assert failure.user_failure_data is not None
    assert not list(tmp_path.iterdir())


def test_rows_whose_file_is_gone_are_erased_in_the_warehouse(
    base: Path, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    """Files of every format are archived elsewhere: their rows are kept, and nothing but the warehouse can lose the person."""
    made = copy_of(base, tmp_path, instance)
    landing = made.environment.landing
    for name in ("rudderstack/tracks/broken.csv", "rudderstack/tracks/only_ann.csv.gz", "segment/identifies/traits.jsonl.gz",
                 "measure_js/events/nested.parquet", "mixpanel/events/m.jsonl"):  # fmt: skip
        (landing / name).unlink()
    others = others_rows(made)
    done = shown(forget(made, tmp_path, LAPTOP))
    assert done["files_rewritten"] == 7
    assert not tables_that_name(made, [*PERSON, SECRET])
    assert not bytes_that_name(tmp_path, [*PERSON, SECRET])
    assert others_rows(made) == others
    rejects = made.query("select content from raw.landing_rejects where content is not null order by source_line")
    assert [row["content"][:2] for row in rejects] == ["q2", "q4", "q5"]
