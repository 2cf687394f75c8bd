"""Raw calls: which tables they fill, and that each of them is a row or is named."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from sessionization_dagster.landing import LandingError, rows
from sessionization_dagster.landing.calls import call_row, parsed_call
from sessionization_dagster.settings.environment import RemovedFiles
from tests.landing.conftest import Case
from tests.landing.declared import declared_tables

TIME = "2024-03-04T09:30:00Z"


@pytest.fixture
def case(case: Case) -> Case:
    case.tables = declared_tables("segment")
    return case


def call(name: str, kind: str, **fields: Any) -> dict[str, Any]:
    return {"messageId": name, "type": kind, "anonymousId": "d", "timestamp": TIME, **fields}


def lines(*calls: Any) -> str:
    return "".join(f"{json.dumps(record)}\n" for record in calls)


def ids(case: Case, table: str) -> list[str]:
    return [name for (name,) in case.query(f"select id from raw.segment_{table} order by id")]


EVERY = [
    call("t", "track", event="E"),
    call("p", "page"),
    call("s", "screen"),
    call("i", "identify"),
    call("a", "alias"),
]


@pytest.mark.parametrize("folder", ["segment/tracks", "segment/aliases", "segment/calls", "segment/segment-logs/abc"])
def test_calls_are_routed_wherever_their_file_lies(case: Case, folder: str) -> None:
    path = case.write("1709544600.gz", lines(*EVERY), table=folder)
    assert case.land().problems == []
    found = {table: ids(case, table) for table in ("tracks", "pages", "screens", "identifies", "aliases")}
    assert found == {"tracks": ["t"], "pages": ["p"], "screens": ["s"], "identifies": ["i"], "aliases": ["a"]}
    assert all(report.files_unchanged == 1 for report in case.land().tables.values())
    write(path, lines(call("t2", "track", event="E"), call("p", "page")))
    case.touch(path)
    case.land()
    assert (ids(case, "tracks"), ids(case, "pages"), ids(case, "screens")) == (["t2"], ["p"], [])
    case.write("b.csv", f"id,timestamp,event\nb,{TIME},E\n", table="segment/tracks")
    path.unlink()
    case.removed = RemovedFiles.REMOVE
    report = case.land()
    assert (ids(case, "tracks"), ids(case, "pages")) == (["b"], [])
    assert all(table.files_removed == 1 for table in report.tables.values())


def test_a_file_of_calls_may_move_though_it_has_rows_of_some_tables_alone(case: Case) -> None:
    case.write("c.jsonl", lines(call("t", "track", event="E"), call("g", "group")), table="segment/calls")
    case.write("a.jsonl", lines(call("t2", "track", event="E")), table="segment/tracks")
    case.land()
    (case.folder / "segment/calls").rename(case.folder / "segment/dump")
    report = case.land()
    assert [table.removed_now for table in report.tables.values()] == [[]] * 5
    assert ids(case, "tracks") == ["t", "t2"]
    assert case.query("select source_file from raw.landing_rejects") == [("segment/dump/c.jsonl",)]
    # What has rows of one table alone is missed there; a table that it had none for has lost nothing.
    case.write("b.jsonl", lines(call("t3", "track", event="E")), table="segment/tracks")
    case.land()
    (case.folder / "segment/dump/c.jsonl").unlink()
    case.removed = RemovedFiles.REMOVE
    case.land()
    assert ids(case, "tracks") == ["t2", "t3"]


def test_folders_give_calls_the_values_that_they_have_not(case: Case) -> None:
    plain, own = call("t", "track", event="E"), call("o", "track", event="E", userId="own", properties={"Dt": "mine"})
    case.write("a.gz", lines(plain, own), table="segment/calls/user_id=zed/type=x/dt=2024-03-04")
    case.write("b.gz", lines(call("p", "page")), table="segment/calls/user_id=__HIVE_DEFAULT_PARTITION__/url=u")
    assert case.land().problems == []
    found = "user_id, properties ->> 'dt', properties ->> 'Dt', properties ->> 'type'"
    assert case.query(f"select id, {found} from raw.segment_tracks order by id") == [
        ("o", "own", None, "mine", None), ("t", "zed", "2024-03-04", None, None),
    ]  # fmt: skip
    assert case.query("select id, user_id, url from raw.segment_pages") == [("p", None, "u")]


def write(path: Path, text: str) -> None:
    path.write_text(text)


def test_what_fills_no_table_is_named_once(case: Case) -> None:
    text = lines(call("t", "track", event="E"), call("g", "group"), {"id": "flat"}, [1]) + '{"messageId": \n'
    bad_time = call("x", "page") | {"timestamp": "soon"}
    case.write("a.jsonl", text + lines(bad_time), table="segment/calls")
    report = case.land()
    assert ids(case, "tracks") == ["t"]
    rejects = case.query("select table_name, source_line, error from raw.landing_rejects order by source_line")
    assert [(table, line) for table, line, _ in rejects] == [
        ("tracks", 2), ("tracks", 3), ("tracks", 4), ("tracks", 5), ("pages", 6),
    ]  # fmt: skip
    assert rejects[0][2] == "is a call of type 'group', which no table takes: it makes no event"
    assert "is no raw call" in rejects[1][2]
    assert "'soon' is not a time" in rejects[4][2]
    assert sum(table.rows_rejected for table in report.tables.values()) == 5


def test_a_call_is_named_by_its_event_or_its_name(case: Case) -> None:
    screens = [
        call("event", "screen", event="Main"),
        call("name", "screen", event="Viewed Main") | {"name": "Main"},
        call("property", "screen", event="Viewed Main", properties={"name": "Main"}),
    ]
    tracks = [call("n", "track") | {"name": "Main"}, call("e", "track", event="Main") | {"name": "other"}]
    case.write("a.jsonl", lines(*screens, *tracks), table="segment/calls")
    assert case.land().problems == []
    found = case.query("select id, name from raw.segment_screens order by id")
    assert found == [("event", "Main"), ("name", "Main"), ("property", "Main")]
    assert case.query("select id, event from raw.segment_tracks order by id") == [("e", "Main"), ("n", "Main")]


def test_a_type_may_be_anything(case: Case) -> None:
    case.write(
        "a.jsonl", lines(call("t", "track", event="E"), {"messageId": "x", "type": ["page"]}), table="segment/calls"
    )
    case.land()
    [(error,)] = case.query("select error from raw.landing_rejects")
    assert error.startswith("is a call of type ['page'], which no table takes")


def test_a_file_that_becomes_one_of_calls_and_back_leaves_no_rows_behind(case: Case) -> None:
    flat = f'{{"id": "flat", "timestamp": "{TIME}", "event": "E"}}\n'
    path = case.write("a.jsonl", flat, table="segment/tracks")
    case.land()
    for _ in range(2):
        write(path, lines(*EVERY))
        case.touch(path)
        case.land()
        assert (ids(case, "tracks"), ids(case, "pages")) == (["t"], ["p"])
        write(path, flat)
        case.touch(path)
        case.touch(path)
        case.land()
        assert (ids(case, "tracks"), ids(case, "pages")) == (["flat"], [])


def test_calls_behind_rows_of_another_kind_are_refused(case: Case) -> None:
    flat = f'{{"id": "flat", "timestamp": "{TIME}", "event": "E"}}\n'
    case.write("a.jsonl", flat + lines(*EVERY), table="segment/tracks")
    case.write("b.jsonl", flat + "{\n" + lines(*EVERY), table="segment/tracks")
    case.land()
    errors = [error for (error,) in case.query("select error from raw.landing_rejects")]
    assert len(errors) == 2
    assert all(error.startswith("has raw calls (records with messageId and type) behind rows") for error in errors)


def test_other_folders_of_a_source_are_still_unknown(case: Case) -> None:
    case.write("a.jsonl", lines(*EVERY), table="segment/calls")
    case.write("a.csv", f"id,timestamp,event\nb,{TIME},E\n", table="segment/traks")
    report = case.land()
    assert [text.split(";")[0] for text in report.unknown_folders] == ["segment/traks/: no such table"]
    assert ids(case, "tracks") == ["t"]


def test_files_beside_calls_that_are_none_are_named_once_each(case: Case) -> None:
    """In a vendor's folder too, where most files are calls: the folder is not to blame."""
    dump = "segment/segment-logs"
    case.write("a.jsonl", lines(*EVERY), table=f"{dump}/1")
    whole = gzip.compress(lines(*(call(f"t{n}", "track", event="E") for n in range(2000))).encode())
    for name, content in {
        "cut.gz": whole[: len(whole) // 2],
        "short.gz": whole[:20],
        "notes.csv": b"a,b\n1,2\n",
    }.items():
        case.write(name, content, table=f"{dump}/2")
    case.write("late.jsonl", lines({"note": "no call"}, call("u", "track", event="E")), table=f"{dump}/2")
    report = case.land()
    assert (len(report.problems), report.unknown_folders) == (5, ())
    assert ids(case, "tracks") == ["t", "u"]
    named = case.query("select source_file, table_name, count(*) from raw.landing_rejects group by all order by 1")
    assert [(name.rpartition("/")[2], table, count) for name, table, count in named] == [
        ("cut.gz", "tracks", 1), ("late.jsonl", "tracks", 1), ("notes.csv", "tracks", 2), ("short.gz", "tracks", 1),
    ]  # fmt: skip
    assert [table.files_unreadable for table in report.tables.values()] == [0, 0, 0, 0, 2]
    assert [table.files_unreadable for table in case.land().tables.values()] == [0, 0, 0, 0, 2]


def test_many_files_of_calls_take_few_statements(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as for one of them, which DuckDB plans for a tenth of a second each. One that breaks off holds up no other."""
    sent: list[str] = []
    execute = rows._execute_insert

    def noted(session: Any, statement: str, *parameters: Any) -> int:
        sent.append(statement)
        return execute(session, statement, *parameters)

    monkeypatch.setattr(rows, "_execute_insert", noted)
    named = [[f"{kind}{file}" for kind in ("t", "p")] for file in range(20)]
    for file, (track, page) in enumerate(named):
        records = [call(track, "track", event="E"), call(page, "page"), {"type": "track"}]
        case.write(f"{file:02}.jsonl", lines(*records), table="segment/hourly")
    report = case.land()
    assert len(sent) <= 2 * len(report.tables)
    assert ids(case, "tracks") == sorted(track for track, _ in named)
    assert ids(case, "pages") == sorted(page for _, page in named)
    assert case.query("select distinct source_line, error like 'is no raw call%' from raw.landing_rejects") == [
        (3, True)
    ]
    by_file = "select source_file, row_count, reject_count from raw.landed_files where table_name = 'tracks' order by 1"
    assert case.query(by_file) == [(f"segment/hourly/{file:02}.jsonl", 1, 1) for file in range(20)]
    assert case.query("select distinct source_row from raw.segment_pages") == [(2,)]


@pytest.mark.parametrize(
    ("name", "shown", "why"),
    [
        ("_b.jsonl", "_b.jsonl", "its name begins with . or _"),
        ("b.jsonl.tmp", "b.jsonl.tmp", "its name is that of a file that is still being written"),
        ("_backup/b.jsonl", "_backup", "its name begins with . or _"),
        ("lake/_delta_log/00.json", "lake", "it is a Delta table (it has _delta_log)"),
    ],
)
def test_what_is_not_read_beside_calls_is_reported(case: Case, name: str, shown: str, why: str) -> None:
    case.write("a.jsonl", lines(*EVERY), table="segment/calls")
    case.write(name, lines(*EVERY), table="segment/calls")
    report = case.land()
    assert ids(case, "tracks") == ["t"]
    [problem] = report.misplaced()
    assert problem.startswith(f"segment/calls/{shown}: {why}")


def test_a_source_folder_without_calls_or_tables_stops_the_landing(case: Case) -> None:
    case.write("a.csv", "id\nb\n", table="segment/traks")
    with pytest.raises(LandingError, match="segment/traks/: no such table"):
        case.land()


COLUMNS = {
    "id", "timestamp", "anonymous_id", "user_id", "received_at", "name", "url", "title", "context_page_url", "context_campaign_name",
}  # fmt: skip


def flat(record: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any] | None]:
    row, rest = call_row(record, COLUMNS)
    return json.loads(row), None if rest is None else json.loads(rest)


def test_names_are_those_that_the_loaders_give() -> None:
    context = {
        "page": {"url": "u", "referringDomain": "r"}, "campaign": {"name": "n"}, "os": {"name": "o"}, "userAgent": "ua", "ip": "1.2.3.4",
        "traits": {"age": 1},
    }  # fmt: skip
    record = call(
        "1", "page", userId="ann", receivedAt="r", sentAt="s", context=context, properties={"url": "own", "title": None}
    )
    row, rest = flat(record)
    own = {"id": "1", "anonymous_id": "d", "user_id": "ann", "timestamp": TIME, "received_at": "r", "url": "own"}
    assert row == own | {"context_page_url": "u", "context_campaign_name": "n"}
    assert rest == {
        "sent_at": "s", "context_page_referring_domain": "r", "context_os_name": "o", "context_user_agent": "ua",
        "context_ip": "1.2.3.4", "context_traits_age": 1,
    }  # fmt: skip


def test_objects_that_were_written_as_texts_are_the_same_objects() -> None:
    """As in dumps of a table with columns of JSON. Other texts stay what they are."""
    objects = {
        "context": {"ip": "1.2.3.4", "page": {"url": "u"}, "big": 2**70, "small": 1e-7},
        "properties": {"title": "T", "a": [{}]},
    }
    texts = {key: f" {json.dumps(value)}" for key, value in objects.items()}
    written = call("1", "page", **objects), call("1", "page", **texts)
    rows = [call_row(found, COLUMNS) for record in written if (found := parsed_call(json.dumps(record)))]
    assert rows[0] == rows[1]
    assert json.loads(rows[0][0])["context_page_url"] == "u"
    found = parsed_call(json.dumps(call("1", "page", properties='{"a": NaN, "title": "T"}')))
    assert found is not None
    assert found["properties"] == {"a": None, "title": "T"}
    for text in ("{", '["{}"]', "plain"):
        found = parsed_call(json.dumps(call("1", "page", properties=text)))
        assert found is not None
        assert found["properties"] == text


def test_properties_replace_nothing_that_the_call_says_of_itself() -> None:
    record = call(
        "1",
        "track",
        event="E",
        channel="web",
        properties={"id": 7, "timestamp": "x", "User_Id": "no", "channel": "mine"},
    )
    row, rest = flat(record)
    assert (row["id"], row["timestamp"], row.get("user_id")) == ("1", TIME, None)
    assert rest == {"id": 7, "timestamp": "x", "User_Id": "no", "channel": "mine", "_channel": "web", "event": "E"}


def test_the_original_timestamp_counts_where_there_is_no_other() -> None:
    record = call("1", "track", originalTimestamp="o")
    del record["timestamp"]
    assert flat(record)[0]["timestamp"] == "o"
    assert flat(call("1", "track", originalTimestamp="o"))[0]["timestamp"] == TIME
    record["timestamp"] = ""
    assert flat(record)[0]["timestamp"] == "o"


def test_the_address_that_the_server_saw_counts_where_the_sender_gave_none() -> None:
    seen = call("1", "track", request_ip="192.0.2.1")
    given = seen | {"context": {"ip": "192.0.2.2"}}
    columns = {*COLUMNS, "context_ip"}
    assert [json.loads(call_row(record, columns)[0])["context_ip"] for record in (seen, given)] == [
        "192.0.2.1",
        "192.0.2.2",
    ]
    assert json.loads(call_row(seen, columns)[1] or "{}") == {}


def test_traits_of_an_identify_call_may_be_in_its_context_alone() -> None:
    record = call("1", "identify", traits={"plan": "free"}, context={"traits": {"plan": "old", "email": "e"}})
    assert flat(record)[1] == {
        "plan": "free", "email": "e", "context_traits_plan": "old", "context_traits_email": "e",
    }  # fmt: skip
