"""What the analyzer knows: tables, functions and a script's variables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from zetasql.wasi._pb2.zetasql.local_service import local_service_pb2 as calls
from zetasql.wasi._pb2.zetasql.proto import function_pb2, options_pb2, simple_catalog_pb2
from zetasql.wasi._pb2.zetasql.public import function_pb2 as kinds
from zetasql.wasi._pb2.zetasql.public import options_pb2 as public
from zetasql.wasi._pb2.zetasql.public import simple_constant_pb2, simple_table_pb2, value_pb2

from . import builtins
from .service import Service

Path = tuple[str, ...]


class Catalog:
    """Tables and functions by their full names; each is found without its project, too."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._tables: dict[Path, list[Any]] = {}
        self._functions: dict[Path, Any] = {}
        self._variables: dict[str, Any] = {}
        self._registered: int | None = None
        self._options = options_pb2.AnalyzerOptionsProto(
            language_options=service.language,
            default_timezone="UTC",
            error_message_mode=public.ERROR_MESSAGE_ONE_LINE,
            system_variables=builtins.system_variables(),
            allowed_hints_and_options=builtins.allowed_options(),
        )

    def analyze(self, sql: bytes, wanted: Any | None = None) -> Any:
        """The resolved form of one statement; of a query whose column must become the `wanted` type where one is given.

        Raises:
            ServerError: the statement is wrong.
        """
        if self._registered is None:
            self._registered = self._register()
        request = calls.AnalyzeRequest(
            options=self._options, registered_catalog_id=self._registered, sql_statement=sql.decode()
        )
        if wanted is not None:
            request.options.target_column_types.append(wanted)
        response = self._service.call_grpc_func("ZetaSqlLocalService_Analyze", request, calls.AnalyzeResponse)
        return leaf(response.resolved_statement)

    def create_table(self, name: Iterable[str], columns: Iterable[Any]) -> None:
        """A table, or a view, with these column definitions, in the place of one of its name."""
        self._tables[self._full(name)] = [_column(definition) for definition in columns]
        self._forget()

    def columns(self, name: Iterable[str]) -> list[Any]:
        """The columns of a table; none where there is no such table."""
        return self._tables.get(self._full(name), [])

    def add_column(self, name: Iterable[str], definition: Any) -> None:
        """One more column of a table, unless it has it."""
        columns = self._tables[self._full(name)]
        if definition.name not in {column.name for column in columns}:
            columns.append(_column(definition))
            self._forget()

    def drop_table(self, name: Iterable[str]) -> None:
        """The table is no more."""
        self._tables.pop(self._full(name), None)
        self._forget()

    def create_function(self, name: Iterable[str], signature: Any) -> None:
        """A scalar function."""
        path = self._full(name)
        self._functions[path] = function_pb2.FunctionProto(
            name_path=path, group="user", mode=kinds.FunctionEnums.SCALAR, signature=[signature]
        )
        self._forget()

    def declare(self, name: str, variable_type: Any) -> None:
        """A script's variable."""
        self._variables[name.lower()] = simple_constant_pb2.SimpleConstantProto(
            name_path=[name], type=variable_type, value=value_pb2.ValueProto()
        )
        self._forget()

    def variables(self) -> dict[str, Any]:
        """What is declared now."""
        return dict(self._variables)

    def restore_variables(self, variables: dict[str, Any]) -> None:
        """A block has ended: what it declared is gone."""
        if variables != self._variables:
            self._variables = variables
            self._forget()

    def variable_type(self, name: str) -> Any | None:
        """The type of a declared variable."""
        variable = self._variables.get(name.lower())
        return variable.type if variable else None

    def _full(self, name: Iterable[str]) -> Path:
        """The name with its project: that of the first table, where it names none itself."""
        path = _path(name)
        if len(path) != 2 or not self._tables:
            return path
        return (next(iter(self._tables))[0], *path)

    def _forget(self) -> None:
        if self._registered is not None:
            request = calls.UnregisterRequest(registered_id=self._registered)
            self._service.call_grpc_func("ZetaSqlLocalService_UnregisterCatalog", request)
        self._registered = None

    def _register(self) -> int:
        root = simple_catalog_pb2.SimpleCatalogProto(
            name="bigquery",
            named_type=builtins.type_names(),
            custom_function=builtins.functions(),
            constant=self._variables.values(),
            builtin_function_options=options_pb2.ZetaSQLBuiltinFunctionOptionsProto(
                language_options=self._service.language
            ),
        )
        levels: dict[Path, Any] = {(): root}
        for path, columns in _with_short_names(self._tables):
            table = simple_table_pb2.SimpleTableProto(name=path[-1], full_name=".".join(path), column=columns)
            _level(levels, path[:-1]).table.append(table)
        for path, function in _with_short_names(self._functions):
            _level(levels, path[:-1]).custom_function.append(function)
        request = calls.RegisterCatalogRequest(simple_catalog=root)
        response = self._service.call_grpc_func("ZetaSqlLocalService_RegisterCatalog", request, calls.RegisterResponse)
        return int(response.registered_id)


def _path(name: Iterable[str]) -> Path:
    """In lower case: the analyzer ignores the case of names, and breaks on two names that are one to it."""
    return tuple(part.lower() for part in name)


def leaf(node: Any) -> Any:
    """The node itself out of the choices of kinds that the analyzer wraps it in."""
    while type(node).__name__.startswith("Any"):
        node = getattr(node, node.WhichOneof("node"))
    return node


def _column(definition: Any) -> Any:
    return simple_table_pb2.SimpleColumnProto(name=definition.name, type=definition.type)


def _with_short_names(named: dict[Path, Any]) -> Iterator[tuple[Path, Any]]:
    """Each under its full name and, `dataset.name` being enough in BigQuery, under that without the project."""
    for path, value in named.items():
        yield path, value
        if len(path) >= 3:
            yield path[1:], value


def _level(levels: dict[Path, Any], path: Sequence[str]) -> Any:
    key = tuple(path)
    if key not in levels:
        levels[key] = _level(levels, key[:-1]).catalog.add(name=key[-1])
    return levels[key]
