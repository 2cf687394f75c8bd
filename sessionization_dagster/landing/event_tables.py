"""The raw tables that SESSIONIZATION_RAW_EVENT_TABLES names. Each holds one kind of event. No SQL, no warehouse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sessionization_dagster.errors import SettingsError
from sessionization_dagster.landing import RawTable
from sessionization_dagster.settings.bigquery_settings import RAW_EVENT_TABLES


def event_tables(tables: Sequence[RawTable], named: Mapping[str, Sequence[str]]) -> tuple[RawTable, ...]:
    """The event tables, declared like the table of their source's track calls. tables are the declared tables; named is by source.

    Raises:
        SettingsError: a source has no table of track calls, or a name is that of a declared table.
    """
    return tuple(_event_tables(tables, named))


def _event_tables(tables: Sequence[RawTable], named: Mapping[str, Sequence[str]]) -> Iterator[RawTable]:
    for source, names in named.items():
        declared = {table.table: table for table in tables if table.source == source}
        calls = next((table for table in declared.values() if table.call == "track"), None)
        if calls is None:
            having = sorted({table.source for table in tables if table.call == "track"})
            raise SettingsError(
                f"{RAW_EVENT_TABLES} names tables of {source}, whose events have their properties beside them. Leave it out; "
                f"sources in use that have a table for each event: {', '.join(having) or 'none'}."
            )
        for name in names:
            if name in declared:
                raise SettingsError(
                    f"{RAW_EVENT_TABLES} names {name} of {source}, which is read anyway and is no table of one event. Leave it out. "
                    f"So are {', '.join(sorted(declared))}."
                )
            yield replace(calls, table=name)
