"""Reads parquet files: inspects them where a damaged file can do no harm, and makes the SQL that reads them."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from sessionization_dagster.landing.convert import Field, Shape, properties, refusal
from sessionization_dagster.landing.data_file import DataFile
from sessionization_dagster.landing.delimited import folder_fields, match_names, path_in_landing, source_path
from sessionization_dagster.landing.file_errors import UnreadableFile
from sessionization_dagster.landing.tables import RawTable


class ParquetProbe:
    """Inspects parquet files with a DuckDB instance of its own.

    A damaged page can trip an internal assertion of DuckDB's parquet reader (2 of 4,000 randomly damaged files did),
    after which the instance refuses everything. Reading 10 million rows here costs 2 s where landing them takes 15.
    """

    def __init__(self) -> None:
        """The instance is created for the first file."""
        self._instance: duckdb.DuckDBPyConnection | None = None

    def columns(self, file: DataFile) -> list[tuple[str, str]]:
        """(name, DuckDB type) of each column, after reading every value once. Raises UnreadableFile."""
        path = source_path(file.path)
        try:
            if self._instance is None:
                self._instance = duckdb.connect(":memory:")
            nodes = self._instance.execute(f"select name, num_children from parquet_schema({path})").fetchall()
            types = self._instance.execute(f"describe select * from {_reader(path)}").fetchall()
            self._instance.execute(f"select bit_xor(hash(t)) from {_reader(path, utf8='ignore')} as t").fetchall()
        except duckdb.Error as error:
            self.close()
            reason = str(error).strip().split("\n")[0].replace(file.path, file.source_file)
            raise UnreadableFile(f"is not a whole parquet file ({reason}); write it again") from error
        return list(zip(_top_level(nodes), (row[1] for row in types), strict=True))

    def close(self) -> None:
        """Closes the instance; the next file gets a new one."""
        if self._instance is not None:
            self._instance.close()
            self._instance = None


def whole_parquet(files: Sequence[DataFile], table: RawTable, columns: Sequence[tuple[str, str]]) -> Shape:
    """Files with the same columns and folder values, as DuckDB reads them. Several files must fit_together.

    Raises UnreadableFile for columns that cannot fill the declared ones.
    """
    if len(files) == 1:
        return _shape(
            files[0], table, columns, _numbered(_reader(source_path(files[0].path), _row_number(columns)), columns)
        )
    paths = f"[{', '.join(source_path(file.path) for file in files)}]"
    relation = _numbered(_reader(paths, row_number=True, filename=True), columns, more=", path")
    return _shape(files[0], table, columns, relation, source_file=path_in_landing(files, "path"))


def fit_together(columns: Sequence[tuple[str, str]]) -> bool:
    """Whether files with these columns can be read by one call: no column has the name of one that the reader adds."""
    return _row_number(columns) and all(name.lower() != "filename" for name, _ in columns)


def row_by_row_parquet(file: DataFile, table: RawTable, columns: Sequence[tuple[str, str]]) -> Shape:
    """Like whole_parquet, with the text of each record and whether it is valid UTF-8. A record's number serves as its line."""
    path, row_number = source_path(file.path), _row_number(columns)
    # The reader can drop invalid bytes or replace them, but cannot name their row. Rows where the two results differ have invalid bytes.
    replaced, ignored = (_numbered(_reader(path, row_number, utf8), columns) for utf8 in ("replace", "ignore"))
    relation = f"(select a.*, a is distinct from b as is_garbled from {replaced} as a positional join {ignored} as b)"
    broken = "case when is_garbled then 'is not UTF-8; write text columns in UTF-8' end"
    content = f"cast({properties(_fields(columns))} as varchar)"
    return _shape(file, table, columns, relation, line="number", content=content, broken=broken)


def _shape(file: DataFile, table: RawTable, columns: Sequence[tuple[str, str]], relation: str, **record: str) -> Shape:
    """The records of `relation` (c0.., number). Raises UnreadableFile."""
    names = [name for name, _ in columns]
    if not names:
        raise UnreadableFile("has no columns; write it again")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UnreadableFile(f"has the column {', '.join(map(repr, twice))} more than once; rename or drop one")
    fields = _fields(columns) + folder_fields(file, names)
    places = match_names(table, [field.name for field in fields])
    wanted = {column.name: column for column in table.columns}
    refusals = [refusal(wanted[name], fields[place].type) for name, place in places.items()]
    if any(refusals):
        raise UnreadableFile("; ".join(text for text in refusals if text))
    extras = [field for place, field in enumerate(fields) if place not in places.values()]
    return Shape(relation, {name: fields[place] for name, place in places.items()}, extras, number="number", **record)


def _fields(columns: Sequence[tuple[str, str]]) -> list[Field]:
    """The columns as `_numbered` names them."""
    return [Field(name, data_type, f"c{place}") for place, (name, data_type) in enumerate(columns)]


def _reader(path: str, row_number: bool = False, utf8: str = "strict", filename: bool = False) -> str:
    """The reader's call. Columns from folders are added elsewhere, in the same way for all formats."""
    return (
        f"read_parquet({path}, hive_partitioning = false, file_row_number = {row_number}, filename = {filename}, "
        f"utf8_validation = '{utf8}')"
    )


def _row_number(columns: Sequence[tuple[str, str]]) -> bool:
    """Whether the reader may add its row number: not if a column of the file has the same name."""
    return all(name.lower() != "file_row_number" for name, _ in columns)


def _numbered(reader: str, columns: Sequence[tuple[str, str]], more: str = "") -> str:
    """The reader's rows as c0.. and number, from 1: names in the file may be empty or differ only in case. `more`: further columns."""
    names = ", ".join(f"c{place}" for place in range(len(columns)))
    if _row_number(columns):
        return f"(select * exclude (n), n + 1 as number from {reader} as f({names}, n{more}))"
    return f"(select *, row_number() over () as number from {reader} as f({names}))"


def _top_level(nodes: list[tuple[str, int | None]]) -> list[str]:
    """Names of the top-level columns; `nodes` is the schema in depth-first order, the root first."""
    names: list[str] = []
    # Subtrees still open at each depth below the root.
    depth: list[int] = []
    for name, children in nodes[1:]:
        if not depth:
            names.append(name)
        else:
            depth[-1] -= 1
        if children:
            depth.append(children)
        while depth and depth[-1] == 0:
            depth.pop()
    return names
