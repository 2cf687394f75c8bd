"""What the analyzer knows: tables, functions and a script's variables, and what each analysed statement adds to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from zetasql.wasi._pb2.zetasql.local_service import local_service_pb2 as calls
from zetasql.wasi._pb2.zetasql.proto import function_pb2, options_pb2, simple_catalog_pb2
from zetasql.wasi._pb2.zetasql.public import function_pb2 as public_function
from zetasql.wasi._pb2.zetasql.public import options_pb2 as public
from zetasql.wasi._pb2.zetasql.public import simple_constant_pb2, simple_table_pb2, type_pb2, value_pb2

from .service import Service

SYSTEM_VARIABLES = {
    "row_count": type_pb2.TYPE_INT64,
    "time_zone": type_pb2.TYPE_STRING,
    "error.message": type_pb2.TYPE_STRING,
    "error.statement_text": type_pb2.TYPE_STRING,
    "script.job_id": type_pb2.TYPE_STRING,
}


class Catalog:
    """Tables and functions by their full names; each is found without its project, too."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._tables: dict[tuple[str, ...], Any] = {}
        self._functions: dict[tuple[str, ...], Any] = {}
        self._variables: dict[str, Any] = {}
        self._registered: int | None = None
        self._options = options_pb2.AnalyzerOptionsProto(
            language_options=service.language,
            default_timezone="UTC",
            error_message_mode=public.ERROR_MESSAGE_ONE_LINE,
            system_variables=[
                options_pb2.AnalyzerOptionsProto.SystemVariableProto(
                    name_path=name.split("."), type=type_pb2.TypeProto(type_kind=kind)
                )
                for name, kind in SYSTEM_VARIABLES.items()
            ],
        )

    def analyze(self, sql: bytes) -> Any:
        """One statement, resolved; what it makes or drops is known to the next one.

        Raises:
            ServerError: the statement is wrong.
        """
        if self._registered is None:
            self._registered = self._register()
        request = calls.AnalyzeRequest(
            options=self._options, registered_catalog_id=self._registered, sql_statement=sql.decode()
        )
        response = self._service.call_grpc_func("ZetaSqlLocalService_Analyze", request, calls.AnalyzeResponse)
        statement = _leaf(response.resolved_statement)
        self._remember(statement)
        return statement

    def declare(self, name: str, variable_type: Any) -> None:
        """A script's variable."""
        self._variables[name.lower()] = simple_constant_pb2.SimpleConstantProto(
            name_path=[name], type=variable_type, value=value_pb2.ValueProto()
        )
        self._forget()

    def undeclare(self, names: set[str]) -> None:
        """The block ends in which these variables were declared."""
        for name in names:
            del self._variables[name]
        if names:
            self._forget()

    def variable_type(self, name: str) -> Any | None:
        """The type of a declared variable."""
        variable = self._variables.get(name.lower())
        return variable.type if variable else None

    def variables(self) -> set[str]:
        """The names that are declared now."""
        return set(self._variables)

    def _remember(self, statement: Any) -> None:
        kind = type(statement).__name__
        columns = _inherited(statement, "column_definition_list")
        if kind == "ResolvedCreateFunctionStmtProto":
            path = tuple(statement.parent.name_path)
            self._functions[path] = function_pb2.FunctionProto(
                name_path=path, group="user", mode=public_function.FunctionEnums.SCALAR, signature=[statement.signature]
            )
        elif columns:
            path = tuple(_inherited(statement, "name_path"))
            self._tables[path] = [simple_table_pb2.SimpleColumnProto(name=c.name, type=c.type) for c in columns]
        elif kind == "ResolvedDropStmtProto":
            self._tables.pop(tuple(statement.name_path), None)
        else:
            return
        self._forget()

    def _forget(self) -> None:
        if self._registered is not None:
            request = calls.UnregisterRequest(registered_id=self._registered)
            self._service.call_grpc_func("ZetaSqlLocalService_UnregisterCatalog", request)
        self._registered = None

    def _register(self) -> int:
        root = simple_catalog_pb2.SimpleCatalogProto(
            name="bigquery",
            constant=self._variables.values(),
            builtin_function_options=options_pb2.ZetaSQLBuiltinFunctionOptionsProto(
                language_options=self._service.language
            ),
        )
        levels: dict[tuple[str, ...], Any] = {(): root}
        for path, columns in _with_short_names(self._tables):
            table = simple_table_pb2.SimpleTableProto(name=path[-1], full_name=".".join(path), column=columns)
            _level(levels, path[:-1]).table.append(table)
        for path, function in _with_short_names(self._functions):
            _level(levels, path[:-1]).custom_function.append(function)
        request = calls.RegisterCatalogRequest(simple_catalog=root)
        response = self._service.call_grpc_func(
            "ZetaSqlLocalService_RegisterCatalog", request, calls.RegisterResponse
        )
        return int(response.registered_id)


def _with_short_names(named: dict[tuple[str, ...], Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each under its full name and, `dataset.name` being enough in BigQuery, under that without the project."""
    yield from named.items()
    for path, value in named.items():
        if len(path) >= 3 and path[1:] not in named:
            yield path[1:], value


def _level(levels: dict[tuple[str, ...], Any], path: Sequence[str]) -> Any:
    key = tuple(path)
    if key not in levels:
        levels[key] = _level(levels, key[:-1]).catalog.add(name=key[-1])
    return levels[key]


def _leaf(node: Any) -> Any:
    """The statement itself out of the choices of kinds that the analyzer wraps it in."""
    while (kind := type(node).__name__).startswith("Any"):
        node = getattr(node, node.WhichOneof("node"))
    assert kind.startswith("Resolved")
    return node


def _inherited(node: Any, field: str) -> Any:
    """A field of a node or of the kinds that it inherits from; None where none of them has it."""
    while node is not None:
        if field in node.DESCRIPTOR.fields_by_name:
            return getattr(node, field)
        node = node.parent if "parent" in node.DESCRIPTOR.fields_by_name else None
    return None
